//! The settings of the WebAssembly engine: the image fits only an engine that has the same.

use std::num::NonZeroUsize;

use wasmtime::{Config, Enabled, PoolingAllocationConfig};

/// Native stack of a program. CPython guards its own stack, in linear memory; this one is so large that
/// the guard speaks first (measured: 32 MiB frees a linked list of 200,000, 64 MiB prints one so deep).
/// Pages are taken when they are touched.
const WASM_STACK: usize = 64 << 20;
/// What host calls need on top of it.
const HOST_STACK: usize = 2 << 20;
/// Memory that one instance can address: a 32-bit program can never see more.
const ADDRESS_SPACE: u64 = 4 << 30;
/// Instances that there can be at once: a worker's programs, one spare, and those on their way out.
const SLOTS: u32 = 72;
/// Core instances, and tables, of one interpreter.
const PARTS: u32 = 60;
/// Bytes of a slot that stay mapped between two programs: what most of them touch.
const RESIDENT: usize = 8 << 20;
const STACK_RESIDENT: usize = 64 << 10;
/// Bytes of a memory image that may be mapped for its zeros as well.
const DENSE_IMAGE: u64 = 256 << 20;

/// The settings.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(WASM_STACK + HOST_STACK)
        .memory_reservation(ADDRESS_SPACE)
        .memory_init_cow(true)
        .memory_guaranteed_dense_image_size(DENSE_IMAGE)
        // The innermost tells a wait from a crash. Printing them would cost 190 ms, so nobody does.
        .wasm_backtrace_max_frames(NonZeroUsize::new(1))
        // Shows the memory of a program that was stopped, for that place.
        .coredump_on_trap(true);
    config
}

/// The settings of an engine that runs programs: what the last one used is kept for the next.
#[allow(dead_code, reason = "the build script, which shares this file, runs nothing")]
pub(crate) fn running() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(SLOTS)
        .total_core_instances(SLOTS * PARTS)
        .total_memories(SLOTS * 2)
        .total_tables(SLOTS * PARTS)
        .total_stacks(SLOTS)
        .total_gc_heaps(0)
        .max_core_instances_per_component(PARTS)
        .max_memories_per_component(2)
        .max_tables_per_component(PARTS)
        .table_elements(20_000)
        .max_component_instance_size(16 << 20)
        .max_core_instance_size(16 << 20)
        .max_memory_size(ADDRESS_SPACE as usize)
        .linear_memory_keep_resident(RESIDENT)
        .table_keep_resident(RESIDENT)
        .async_stack_keep_resident(STACK_RESIDENT)
        .pagemap_scan(Enabled::Auto);
    let mut config = config();
    config.allocation_strategy(pool);
    config
}
