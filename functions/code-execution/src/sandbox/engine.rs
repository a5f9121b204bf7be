//! The settings of the WebAssembly engine: the image loads only in an engine with the same settings.

use std::num::NonZeroUsize;

use wasmtime::Config;

/// Native stack of a program. CPython guards its own stack, in linear memory; this one is large enough for that guard
/// to trigger first (measured: 32 MiB frees a linked list of 200,000, 64 MiB prints one so deep). Pages are allocated
/// when they are touched.
const WASM_STACK: usize = 64 << 20;
/// What host calls need on top of that.
const HOST_STACK: usize = 2 << 20;
/// Memory that one instance can address: a 32-bit program can never see more.
pub(crate) const ADDRESS_SPACE: u64 = 4 << 30;
/// Largest memory image that may be mapped including its zero pages, in bytes.
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
        // The innermost frame tells a wait from a crash. Printing the frames would cost 190 ms, so they are not
        // printed.
        .wasm_backtrace_max_frames(NonZeroUsize::new(1))
        // Gives access to the memory of a stopped program, to find where it was.
        .coredump_on_trap(true);
    config
}
