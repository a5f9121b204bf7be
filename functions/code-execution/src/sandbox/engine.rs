//! The settings of the WebAssembly engine: the image fits only an engine that has the same.

use std::num::NonZeroUsize;

use wasmtime::Config;

/// Native stack of a program. CPython guards its own stack, in linear memory; this one is so large that
/// the guard speaks first (measured: 32 MiB frees a linked list of 200,000, 64 MiB prints one so deep).
/// Pages are taken when they are touched.
const WASM_STACK: usize = 64 << 20;
/// What host calls need on top of it.
const HOST_STACK: usize = 2 << 20;
/// Memory that one instance can address: a 32-bit program can never see more.
pub(crate) const ADDRESS_SPACE: u64 = 4 << 30;
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
