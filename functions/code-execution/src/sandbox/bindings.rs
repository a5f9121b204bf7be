//! What the guest and the host say to each other, from `wit/python.wit`.

wasmtime::component::bindgen!({
    path: "wit",
    world: "python",
    imports: { default: trappable },
    exports: { default: async },
});
