//! The interface between guest and host, generated from `wit/python.wit`.

wasmtime::component::bindgen!({
    path: "wit",
    world: "python",
    imports: { default: trappable },
    exports: { default: async },
});
