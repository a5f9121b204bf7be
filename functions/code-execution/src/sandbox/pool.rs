//! Slots for interpreters: memory that is kept, and made as new, instead of mapped anew for each run.

use wasmtime::{Config, Enabled, PoolingAllocationConfig};

use super::engine;

/// Instances that there can be at once: a worker's programs, one spare, and those on their way out.
const SLOTS: u32 = 72;
/// Core instances, and tables, of one interpreter: its own, and those by which it calls the host before and after its
/// memory is there.
pub(super) const PARTS: u32 = 4;
/// Elements of a function table; the interpreter has some 6,000.
pub(super) const TABLE_ELEMENTS: usize = 20_000;
/// Bytes of what the engine keeps of one instance.
const INSTANCE_BYTES: usize = 16 << 20;
/// Bytes of a slot that stay mapped between two programs: what most of them touch.
const RESIDENT: usize = 8 << 20;
/// The same of a stack.
const STACK_RESIDENT: usize = 64 << 10;

/// The settings of an engine that runs programs: what the last one used is kept for the next.
pub(crate) fn config() -> Config {
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
        .table_elements(TABLE_ELEMENTS)
        .max_component_instance_size(INSTANCE_BYTES)
        .max_core_instance_size(INSTANCE_BYTES)
        .max_memory_size(engine::ADDRESS_SPACE as usize)
        .linear_memory_keep_resident(RESIDENT)
        .table_keep_resident(RESIDENT)
        .async_stack_keep_resident(STACK_RESIDENT)
        .pagemap_scan(Enabled::Auto);
    let mut config = engine::config();
    // Without it no page of a stack is ever given back, and 72 of them are more than a worker may have.
    config.async_stack_zeroing(true).allocation_strategy(pool);
    config
}
