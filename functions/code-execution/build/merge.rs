//! Merges the core modules of the interpreter into one, so that calls between them are direct, their imports from each
//! other are resolved, and globals that no longer change are constants.
//!
//! `componentize-py` puts the C library, Python and its own runtime into a component as modules that share a memory, a
//! table and some thousand globals of another one. An engine then fills the table at each instantiation, one function
//! at a time, since table and functions are of different modules. In a merged module the table is known at compile
//! time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context as _, Result, bail, ensure};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, Component, ComponentAliasSection, ComponentSectionId,
    ExportKind, InstanceSection, ModuleArg, RawSection,
    reencode::{self, Reencode, ReencodeComponent},
};
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ExternalKind, Instance, Parser, Payload,
};

use super::memory::Memory;
use super::{
    module::{Module, Parts, Source},
    numbers::{Missing, Reencoded},
};

/// The table of functions that need the caller's memory. The modules that share it are not merged: their functions
/// exist before the memory, or after it.
const INDIRECT: &str = "$imports";

/// The component with one module instead of those that share a memory, which `change` may change.
pub(crate) fn merge(
    component: &[u8],
    change: impl FnOnce(&mut Memory) -> Result<()>,
) -> Result<Vec<u8>> {
    let steps = read(component)?;
    let items = Items::of(&steps)?;
    let parts = items.parts()?;
    let exports = items.exports(&steps, &parts)?;
    let named = exports.iter().map(|export| (export.call(), export.part, export.name));
    let mut memory = parts.memory()?;
    change(&mut memory)?;
    let (module, imports) = parts.merge(&memory, &named.collect::<Vec<_>>())?;
    let mut component = Rewritten {
        kept: items.kept(&parts),
        merged: Some(Merged { module, imports, exports }),
        ..Rewritten::default()
    };
    for step in &steps {
        component.take(step)?;
    }
    ensure!(component.merged.is_none(), "nobody uses the parts");
    Ok(component.component.finish())
}

/// The parts of a component, in order.
enum Step<'a> {
    Module(&'a [u8]),
    Instance(Instance<'a>),
    Alias(ComponentAlias<'a>),
    Canonical(CanonicalFunction),
    /// A section that names no core item, copied unchanged.
    Other(u8, &'a [u8]),
}

fn read(component: &[u8]) -> Result<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        let bytes = |range: &std::ops::Range<usize>| {
            component.get(range.clone()).context("a section has an end")
        };
        match &payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
        let inner = i32::from(matches!(
            payload,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. }
        ));
        if depth > inner {
            continue;
        }
        match payload {
            Payload::ModuleSection { unchecked_range, .. } => {
                steps.push(Step::Module(bytes(&unchecked_range)?));
            }
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    steps.push(Step::Instance(instance?));
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases {
                    steps.push(Step::Alias(alias?));
                }
            }
            Payload::ComponentCanonicalSection(functions) => {
                for function in functions {
                    steps.push(Step::Canonical(function?));
                }
            }
            // They refer to items by index, and the indices change.
            Payload::CustomSection(_) => {}
            other => {
                if let Some((id, range)) = other.as_section() {
                    steps.push(Step::Other(id, bytes(&range)?));
                }
            }
        }
    }
    Ok(steps)
}

/// The item at an index.
#[derive(Debug, Clone, Copy)]
enum Item<'a> {
    Export(u32, &'a str),
    Canonical,
}

/// The core items of a component, by index.
#[derive(Default)]
struct Items<'a> {
    modules: Vec<&'a [u8]>,
    instances: Vec<Instance<'a>>,
    functions: Vec<Item<'a>>,
    memories: Vec<Item<'a>>,
    tables: Vec<Item<'a>>,
    globals: Vec<Item<'a>>,
}

impl<'a> Items<'a> {
    fn of(steps: &[Step<'a>]) -> Result<Self> {
        let mut items = Self::default();
        for step in steps {
            match step {
                Step::Module(bytes) => items.modules.push(bytes),
                Step::Instance(instance) => items.instances.push(instance.clone()),
                Step::Alias(ComponentAlias::CoreInstanceExport { kind, instance_index, name }) => {
                    let kind = match kind {
                        ExternalKind::Func => &mut items.functions,
                        ExternalKind::Memory => &mut items.memories,
                        ExternalKind::Table => &mut items.tables,
                        ExternalKind::Global => &mut items.globals,
                        other => bail!("{other:?} {name} cannot be merged"),
                    };
                    kind.push(Item::Export(*instance_index, name));
                }
                Step::Canonical(CanonicalFunction::Lift { .. }) => {}
                // All others create core functions.
                Step::Canonical(_) => items.functions.push(Item::Canonical),
                Step::Alias(_) | Step::Other(..) => {}
            }
        }
        Ok(items)
    }

    fn get(&self, kind: ExternalKind, index: u32) -> Result<Item<'a>> {
        let items = match kind {
            ExternalKind::Func => &self.functions,
            ExternalKind::Memory => &self.memories,
            ExternalKind::Table => &self.tables,
            ExternalKind::Global => &self.globals,
            other => bail!("{other:?} cannot be merged"),
        };
        items.get(index as usize).copied().with_context(|| format!("there is no {kind:?} {index}"))
    }

    /// The modules that are merged, and what they import.
    fn parts(&self) -> Result<Parts<'a>> {
        let mut parts = Parts { modules: BTreeMap::new(), sources: HashMap::new() };
        for (instance, number) in self.instances.iter().zip(0..) {
            let Instance::Instantiate { module_index, .. } = instance else { continue };
            let bytes = self.modules.get(*module_index as usize).context("a module is missing")?;
            let module = Module::read(bytes)?;
            if !module.mentions(INDIRECT) {
                parts.modules.insert(number, module);
            }
        }
        for (&part, module) in &parts.modules {
            for (from, name) in module.imports() {
                let source = self.source(&parts.modules, part, from, name)?;
                parts.sources.insert((part, from, name), source);
            }
        }
        Ok(parts)
    }

    /// What an import stands for.
    fn source(
        &self,
        parts: &BTreeMap<u32, Module<'_>>,
        part: u32,
        module: &str,
        name: &'a str,
    ) -> Result<Source<'a>> {
        let Some(Instance::Instantiate { args, .. }) = self.instances.get(part as usize) else {
            bail!("instance {part} imports nothing")
        };
        let argument = args.iter().find(|argument| argument.name == module);
        let from = argument.with_context(|| format!("{module} is not given"))?.index;
        if parts.contains_key(&from) {
            return Ok(Source::Part(from, name));
        }
        let Some(Instance::FromExports(exports)) = self.instances.get(from as usize) else {
            bail!("{module} is not merged, and given as a whole")
        };
        let export = exports.iter().find(|export| export.name == name);
        let export = export.with_context(|| format!("{name} is not given"))?;
        Ok(match self.get(export.kind, export.index)? {
            Item::Export(part, name) if parts.contains_key(&part) => Source::Part(part, name),
            Item::Export(..) | Item::Canonical => {
                ensure!(export.kind == ExternalKind::Func, "{name} is no function, and not merged");
                Source::Outside(export.index)
            }
        })
    }

    /// The instances that are not merged.
    fn kept(&self, parts: &Parts<'_>) -> BTreeSet<u32> {
        let mut kept = BTreeSet::new();
        for (instance, number) in self.instances.iter().zip(0..) {
            if let Instance::Instantiate { args, .. } = instance
                && !parts.modules.contains_key(&number)
            {
                kept.insert(number);
                kept.extend(args.iter().map(|argument| argument.index));
            }
        }
        kept
    }

    /// The items of the parts that unmerged sections use.
    fn exports(&self, steps: &[Step<'_>], parts: &Parts<'_>) -> Result<Vec<Export<'a>>> {
        let mut exports = BTreeMap::new();
        let (kept, mut instances) = (self.kept(parts), 0);
        for step in steps {
            if let Step::Instance(_) = step {
                instances += 1;
                if !kept.contains(&(instances - 1)) {
                    continue;
                }
            }
            for (kind, index) in uses(step) {
                if let Item::Export(part, name) = self.get(kind, index)?
                    && parts.modules.contains_key(&part)
                {
                    exports.insert((kind as u8, index), Export { kind, index, part, name });
                }
            }
        }
        Ok(exports.into_values().collect())
    }
}

/// An item of a part that others use, by its index in the component.
struct Export<'a> {
    kind: ExternalKind,
    index: u32,
    part: u32,
    name: &'a str,
}

impl Export<'_> {
    /// Its name in the merged module.
    fn call(&self) -> String {
        format!("{:?} {}", self.kind, self.index)
    }
}

/// The core items that an unmerged step uses.
fn uses(step: &Step<'_>) -> Vec<(ExternalKind, u32)> {
    let of_options = |options: &[CanonicalOption]| {
        let used = options.iter().filter_map(|option| match option {
            CanonicalOption::Memory(index) => Some((ExternalKind::Memory, *index)),
            CanonicalOption::Realloc(index) | CanonicalOption::PostReturn(index) => {
                Some((ExternalKind::Func, *index))
            }
            _ => None,
        });
        used.collect::<Vec<_>>()
    };
    match step {
        Step::Canonical(CanonicalFunction::Lower { options, .. }) => of_options(options),
        Step::Canonical(CanonicalFunction::Lift { core_func_index, options, .. }) => {
            let mut used = of_options(options);
            used.push((ExternalKind::Func, *core_func_index));
            used
        }
        Step::Instance(Instance::FromExports(exports)) => {
            exports.iter().map(|export| (export.kind, export.index)).collect()
        }
        _ => Vec::new(),
    }
}

/// The merged module, until it is placed.
struct Merged<'a> {
    module: Vec<u8>,
    imports: Vec<u32>,
    exports: Vec<Export<'a>>,
}

/// The new indices of items.
#[derive(Default)]
struct Numbers {
    seen: u32,
    count: u32,
    new: HashMap<u32, u32>,
}

impl Numbers {
    /// Counts the next item, which is copied.
    fn keep(&mut self) {
        self.new.insert(self.seen, self.count);
        self.seen += 1;
        self.count += 1;
    }

    /// Counts the next item, which is left out.
    fn leave(&mut self) {
        self.seen += 1;
    }

    /// The index of a new item, in place of `old` if given.
    fn add(&mut self, old: Option<u32>) -> u32 {
        if let Some(old) = old {
            self.new.insert(old, self.count);
        }
        self.count += 1;
        self.count - 1
    }

    fn get(&self, old: u32) -> Reencoded<u32> {
        self.new.get(&old).copied().ok_or(reencode::Error::UserError(Missing(old)))
    }
}

/// The component being built.
#[derive(Default)]
struct Rewritten<'a> {
    component: Component,
    kept: BTreeSet<u32>,
    merged: Option<Merged<'a>>,
    /// The modules that are not instantiated yet.
    waiting: Vec<&'a [u8]>,
    modules: u32,
    instances: Numbers,
    functions: Numbers,
    memories: Numbers,
    tables: Numbers,
}

impl<'a> Rewritten<'a> {
    fn take(&mut self, step: &Step<'a>) -> Result<()> {
        match step {
            Step::Module(bytes) => self.waiting.push(bytes),
            Step::Instance(_) if !self.kept.contains(&self.instances.seen) => {
                self.instances.leave();
            }
            Step::Instance(instance) => {
                self.before(step)?;
                self.instance(instance)?;
            }
            Step::Alias(ComponentAlias::CoreInstanceExport { kind, instance_index, .. })
                if !self.kept.contains(instance_index) =>
            {
                if *kind != ExternalKind::Global {
                    self.numbers(*kind)?.leave();
                }
            }
            Step::Alias(alias) => {
                let mut section = ComponentAliasSection::new();
                section.alias(self.component_alias(alias.clone())?);
                self.component.section(&section);
                if let ComponentAlias::CoreInstanceExport { kind, .. } = alias {
                    self.numbers(*kind)?.keep();
                }
            }
            Step::Canonical(function) => {
                self.before(step)?;
                let mut section = CanonicalFunctionSection::new();
                self.parse_component_canonical(&mut section, function.clone())?;
                self.component.section(&section);
                if !matches!(function, CanonicalFunction::Lift { .. }) {
                    self.functions.keep();
                }
            }
            Step::Other(id, data) => {
                self.component.section(&RawSection { id: *id, data });
            }
        }
        Ok(())
    }

    /// Places the merged module if the step uses it.
    fn before(&mut self, step: &Step<'_>) -> Result<()> {
        let exports = self.merged.iter().flat_map(|merged| &merged.exports);
        let uses = uses(step);
        let mut of_merged = exports.map(|export| (export.kind, export.index));
        if of_merged.any(|export| uses.contains(&export)) {
            self.place_merged()?;
        }
        Ok(())
    }

    fn numbers(&mut self, kind: ExternalKind) -> Result<&mut Numbers> {
        Ok(match kind {
            ExternalKind::Func => &mut self.functions,
            ExternalKind::Memory => &mut self.memories,
            ExternalKind::Table => &mut self.tables,
            other => bail!("{other:?} is used outside"),
        })
    }

    fn instance(&mut self, instance: &Instance<'_>) -> Result<()> {
        let mut section = InstanceSection::new();
        match instance {
            Instance::Instantiate { module_index, args } => {
                let bytes = self.waiting.get(*module_index as usize);
                let module = self.module(bytes.context("a module is missing")?);
                let mut arguments = Vec::new();
                for argument in args {
                    let index = self.instances.get(argument.index)?;
                    arguments.push((argument.name, ModuleArg::Instance(index)));
                }
                section.instantiate(module, arguments);
            }
            Instance::FromExports(exports) => {
                let mut items = Vec::new();
                for export in exports {
                    let index = self.numbers(export.kind)?.get(export.index)?;
                    items.push((export.name, self.export_kind(export.kind)?, index));
                }
                section.export_items(items);
            }
        }
        self.component.section(&section);
        self.instances.keep();
        Ok(())
    }

    fn module(&mut self, data: &[u8]) -> u32 {
        self.component.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data });
        self.modules += 1;
        self.modules - 1
    }

    /// Places the merged module where it is first used; its imports exist by then.
    fn place_merged(&mut self) -> Result<()> {
        let Some(Merged { module, imports, exports }) = self.merged.take() else { return Ok(()) };
        let module = self.module(&module);
        let mut given = Vec::new();
        for number in imports {
            given.push((number.to_string(), ExportKind::Func, self.functions.get(number)?));
        }
        let mut section = InstanceSection::new();
        section.export_items(given);
        let given = self.instances.add(None);
        section.instantiate(module, [("", ModuleArg::Instance(given))]);
        let instance = self.instances.add(None);
        self.component.section(&section);
        let mut section = ComponentAliasSection::new();
        for export in exports {
            let kind = self.export_kind(export.kind)?;
            section.alias(Alias::CoreInstanceExport { instance, kind, name: &export.call() });
            self.numbers(export.kind)?.add(Some(export.index));
        }
        self.component.section(&section);
        Ok(())
    }
}

impl Reencode for Rewritten<'_> {
    type Error = Missing;

    fn function_index(&mut self, index: u32) -> Reencoded<u32> {
        self.functions.get(index)
    }

    fn memory_index(&mut self, index: u32) -> Reencoded<u32> {
        self.memories.get(index)
    }
}

impl ReencodeComponent for Rewritten<'_> {
    fn instance_index(&mut self, index: u32) -> u32 {
        // An omitted item has no index; the component is validated when it is compiled.
        self.instances.get(index).unwrap_or(u32::MAX)
    }
}
