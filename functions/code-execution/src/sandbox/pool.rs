//! Slots for interpreters: memory that is reset and reused instead of mapped again for each run.

use wasmtime::{Config, Enabled, PoolingAllocationConfig};

use super::engine;

/// Instances at once: a worker's programs, one spare, and those being dropped.
const SLOTS: u32 = 72;
/// Core instances, and tables, of one interpreter: its own, and those through which it calls the host before and after
/// its memory exists.
pub(super) const PARTS: u32 = 4;
/// Elements of a function table; the interpreter has some 6,000.
pub(super) const TABLE_ELEMENTS: usize = 20_000;
/// Bytes of the engine's own data for one instance.
const INSTANCE_BYTES: usize = 16 << 20;
/// Bytes of a slot that stay mapped between two programs: what most programs touch.
const RESIDENT: usize = 8 << 20;
/// The same for a stack.
const STACK_RESIDENT: usize = 64 << 10;

/// The settings of an engine that runs programs: they reuse each other's slots.
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
    // Without it no page of a stack is ever returned, and 72 full stacks are more than a worker's limit.
    config.async_stack_zeroing(true).allocation_strategy(pool);
    config
}
