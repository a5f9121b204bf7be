//! Merges core modules that are instantiated once and linked to each other.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context as _, Result, bail, ensure};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, EntityType, ExportSection,
    FunctionSection, GlobalSection, ImportSection, MemorySection, NameMap, NameSection,
    TableSection, TypeSection,
    reencode::{self, Reencode},
};
use wasmparser::{
    Data, DataKind, Element, ElementKind, ExternalKind, FuncType, FunctionBody, Global,
    KnownCustom, MemoryType, Name, Operator, Parser, Payload, TableType, TypeRef,
};

use super::{
    memory::Memory,
    numbers::{Numbers, Value},
};

/// A parsed module.
#[derive(Default)]
pub(crate) struct Module<'a> {
    types: Vec<FuncType>,
    functions: Imported<'a, u32>,
    tables: Imported<'a, TableType>,
    memories: Imported<'a, MemoryType>,
    globals: Imported<'a, Global<'a>>,
    exports: HashMap<&'a str, (ExternalKind, u32)>,
    elements: Vec<Element<'a>>,
    data: Vec<Data<'a>>,
    bodies: Vec<FunctionBody<'a>>,
    names: Vec<(u32, &'a str)>,
}

/// Items of one kind, imported ones first.
pub(crate) struct Imported<'a, T> {
    imports: Vec<(&'a str, &'a str)>,
    /// The types of imported functions.
    types: Vec<u32>,
    own: Vec<T>,
}

impl<T> Default for Imported<'_, T> {
    fn default() -> Self {
        Self { imports: Vec::new(), types: Vec::new(), own: Vec::new() }
    }
}

impl<T> Imported<'_, T> {
    fn own(&self, index: u32) -> Option<&T> {
        self.own.get((index as usize).checked_sub(self.imports.len())?)
    }
}

impl<'a> Module<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::TypeSection(types) => {
                    for kind in types.into_iter_err_on_gc_types() {
                        module.types.push(kind?);
                    }
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let import = import?;
                        let from = (import.module, import.name);
                        match import.ty {
                            TypeRef::Func(kind) => {
                                module.functions.imports.push(from);
                                module.functions.types.push(kind);
                            }
                            TypeRef::Table(_) => module.tables.imports.push(from),
                            TypeRef::Memory(_) => module.memories.imports.push(from),
                            TypeRef::Global(_) => module.globals.imports.push(from),
                            other => bail!("{other:?} cannot be merged"),
                        }
                    }
                }
                Payload::FunctionSection(functions) => {
                    module.functions.own = functions.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::TableSection(tables) => {
                    for table in tables {
                        module.tables.own.push(table?.ty);
                    }
                }
                Payload::MemorySection(memories) => {
                    module.memories.own = memories.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::GlobalSection(globals) => {
                    module.globals.own = globals.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        module.exports.insert(export.name, (export.kind, export.index));
                    }
                }
                Payload::ElementSection(elements) => {
                    module.elements = elements.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::DataSection(data) => {
                    module.data = data.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::CodeSectionEntry(body) => module.bodies.push(body),
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        for name in names {
                            let Name::Function(functions) = name? else { continue };
                            for naming in functions {
                                let naming = naming?;
                                module.names.push((naming.index, naming.name));
                            }
                        }
                    }
                }
                Payload::StartSection { .. } | Payload::TagSection(_) => {
                    bail!("a module with a start function or tags cannot be merged")
                }
                _ => {}
            }
        }
        Ok(module)
    }

    /// Whether it imports or exports this name.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.exports.contains_key(name) || self.tables.imports.iter().any(|(_, own)| *own == name)
    }

    /// The modules and names of its imports.
    pub(crate) fn imports(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let (functions, tables) = (&self.functions.imports, &self.tables.imports);
        let (memories, globals) = (&self.memories.imports, &self.globals.imports);
        functions.iter().chain(tables).chain(memories).chain(globals).copied()
    }

    fn import(&self, kind: ExternalKind, index: u32) -> Option<(&'a str, &'a str)> {
        let imports = match kind {
            ExternalKind::Func => &self.functions.imports,
            ExternalKind::Table => &self.tables.imports,
            ExternalKind::Memory => &self.memories.imports,
            ExternalKind::Global => &self.globals.imports,
            _ => return None,
        };
        imports.get(index as usize).copied()
    }
}

/// What an import resolves to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// An export of another part.
    Part(u32, &'a str),
    /// A function that is not merged, by its index in the component.
    Outside(u32),
}

/// Where an item is that a module uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    /// Defined by that part, at that index.
    Part(u32, u32),
    /// A function that is not merged, by its index in the component.
    Outside(u32),
}

/// The parts, by the indices of their instances.
pub(crate) struct Parts<'a> {
    pub(crate) modules: BTreeMap<u32, Module<'a>>,
    /// What the imports of the parts resolve to, by part, module and name.
    pub(crate) sources: HashMap<(u32, &'a str, &'a str), Source<'a>>,
}

impl<'a> Parts<'a> {
    fn module(&self, part: u32) -> Result<&Module<'a>> {
        self.modules.get(&part).with_context(|| format!("instance {part} is no part"))
    }

    fn place(&self, mut part: u32, kind: ExternalKind, mut index: u32) -> Result<Place> {
        while let Some((module, name)) = self.module(part)?.import(kind, index) {
            let source = self.sources.get(&(part, module, name));
            match *source.with_context(|| format!("{module}.{name} is not given"))? {
                Source::Outside(function) => return Ok(Place::Outside(function)),
                Source::Part(other, name) => {
                    let export = self.module(other)?.exports.get(name);
                    let (found, at) = *export.with_context(|| format!("{name} is nowhere"))?;
                    ensure!(found == kind, "{name} is of another kind");
                    (part, index) = (other, at);
                }
            }
        }
        Ok(Place::Part(part, index))
    }

    fn export(&self, part: u32, name: &str) -> Result<(ExternalKind, Place)> {
        let export = self.module(part)?.exports.get(name);
        let (kind, index) = *export.with_context(|| format!("{name} is nowhere"))?;
        Ok((kind, self.place(part, kind, index)?))
    }

    /// The value of an expression that initialises something.
    fn constant(&self, part: u32, expression: &wasmparser::ConstExpr<'_>) -> Result<i32> {
        let mut stack: Vec<i32> = Vec::new();
        for operator in expression.get_operators_reader() {
            let operator = operator?;
            let value = match operator {
                Operator::I32Const { value } => value,
                Operator::GlobalGet { global_index } => self.initial(part, global_index)?,
                Operator::I32Add => {
                    let (Some(b), Some(a)) = (stack.pop(), stack.pop()) else {
                        bail!("an addition of nothing")
                    };
                    a.wrapping_add(b)
                }
                Operator::End => break,
                other => bail!("{other:?} is no constant that can be merged"),
            };
            stack.push(value);
        }
        stack.pop().context("an expression has no value")
    }

    /// The initial value of a global.
    fn initial(&self, part: u32, global: u32) -> Result<i32> {
        let Place::Part(part, index) = self.place(part, ExternalKind::Global, global)? else {
            bail!("a global is outside")
        };
        let global = self.module(part)?.globals.own(index).context("there is no such global")?;
        self.constant(part, &global.init_expr)
    }

    /// The globals that some function changes.
    fn changing(&self) -> Result<HashSet<Place>> {
        let mut changing = HashSet::new();
        for (&part, module) in &self.modules {
            let mut set = HashSet::new();
            for body in &module.bodies {
                for operator in body.get_operators_reader()? {
                    if let Operator::GlobalSet { global_index } = operator? {
                        set.insert(global_index);
                    }
                }
            }
            for global in set {
                changing.insert(self.place(part, ExternalKind::Global, global)?);
            }
        }
        Ok(changing)
    }

    /// The data segments of the parts.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let mut memory: Vec<u8> = Vec::new();
        for (&part, module) in &self.modules {
            for piece in &module.data {
                let DataKind::Active { offset_expr, .. } = &piece.kind else {
                    bail!("data is used later than at the start")
                };
                let start = self.constant(part, offset_expr)?.cast_unsigned() as usize;
                let end = start + piece.data.len();
                if memory.len() < end {
                    memory.resize(end, 0);
                }
                let place = memory.get_mut(start..end).context("data has no place")?;
                place.copy_from_slice(piece.data);
            }
        }
        Ok(Memory::new(memory))
    }

    /// One module with all parts, and the functions that it imports, by their indices in the component, which are also
    /// their names in the module. `exports` are named by their indices in the component, too.
    pub(crate) fn merge(
        &self,
        memory: &Memory,
        exports: &[(String, u32, &str)],
    ) -> Result<(Vec<u8>, Vec<u32>)> {
        let mut merged = Merged::default();
        merged.number_functions(self)?;
        let changing = self.changing()?;
        let mut globals = GlobalSection::new();
        for (&part, module) in &self.modules {
            for (global, index) in module.globals.own.iter().zip(module.globals.imports.len()..) {
                let place = Place::Part(part, u32::try_from(index)?);
                if changing.contains(&place) {
                    merged.globals.insert(place, globals.len());
                    let value = ConstExpr::i32_const(self.constant(part, &global.init_expr)?);
                    globals.global(reencode::RoundtripReencoder.global_type(global.ty)?, &value);
                }
            }
        }
        let module = merged.encode(self, globals, memory, exports)?;
        Ok((module, merged.outside.iter().map(|(number, _)| *number).collect()))
    }
}

/// A module being built.
#[derive(Default)]
struct Merged {
    types: Vec<FuncType>,
    type_numbers: HashMap<FuncType, u32>,
    /// The functions that are not merged, with their types.
    outside: Vec<(u32, u32)>,
    functions: HashMap<Place, u32>,
    /// The globals that change; all others are constants.
    globals: HashMap<Place, u32>,
}

impl Merged {
    fn type_number(&mut self, kind: &FuncType) -> Result<u32> {
        if let Some(number) = self.type_numbers.get(kind) {
            return Ok(*number);
        }
        let number = u32::try_from(self.types.len())?;
        self.types.push(kind.clone());
        self.type_numbers.insert(kind.clone(), number);
        Ok(number)
    }

    /// Functions that are not merged come first, since a module imports them.
    fn number_functions(&mut self, parts: &Parts<'_>) -> Result<()> {
        for (&part, module) in &parts.modules {
            for (kind, index) in module.functions.types.iter().zip(0..) {
                let place = parts.place(part, ExternalKind::Func, index)?;
                let Place::Outside(number) = place else { continue };
                if !self.functions.contains_key(&place) {
                    let kind = module.types.get(*kind as usize).context("a type is missing")?;
                    let kind = self.type_number(kind)?;
                    self.functions.insert(place, u32::try_from(self.outside.len())?);
                    self.outside.push((number, kind));
                }
            }
        }
        for (&part, module) in &parts.modules {
            let first = module.functions.imports.len();
            for index in first..first + module.functions.own.len() {
                let number = u32::try_from(self.functions.len())?;
                self.functions.insert(Place::Part(part, u32::try_from(index)?), number);
            }
        }
        Ok(())
    }

    /// The items of a part, in the merged module.
    fn numbers(&mut self, parts: &Parts<'_>, part: u32) -> Result<Numbers> {
        let module = parts.module(part)?;
        let mut numbers = Numbers::default();
        for kind in &module.types {
            numbers.types.push(self.type_number(kind)?);
        }
        for index in 0..module.functions.imports.len() + module.functions.own.len() {
            let place = parts.place(part, ExternalKind::Func, u32::try_from(index)?)?;
            numbers.functions.push(*self.functions.get(&place).context("a function is missing")?);
        }
        for index in 0..module.globals.imports.len() + module.globals.own.len() {
            let index = u32::try_from(index)?;
            let place = parts.place(part, ExternalKind::Global, index)?;
            numbers.globals.push(match self.globals.get(&place) {
                Some(number) => Value::Changing(*number),
                None => Value::Constant(parts.initial(part, index)?),
            });
        }
        Ok(numbers)
    }

    fn encode(
        &mut self,
        parts: &Parts<'_>,
        globals: GlobalSection,
        memory: &Memory,
        exports: &[(String, u32, &str)],
    ) -> Result<Vec<u8>> {
        let (mut tables, mut memories) = (TableSection::new(), MemorySection::new());
        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        let (mut elements, mut data) = (ElementSection::new(), DataSection::new());
        let mut names = NameMap::new();
        let mut named: BTreeMap<u32, &str> = BTreeMap::new();
        for (&part, module) in &parts.modules {
            let mut numbers = self.numbers(parts, part)?;
            for table in &module.tables.own {
                tables.table(numbers.table_type(*table)?);
            }
            for memory in &module.memories.own {
                memories.memory(numbers.memory_type(*memory)?);
            }
            for kind in &module.functions.own {
                functions.function(numbers.type_index(*kind)?);
            }
            for element in &module.elements {
                let ElementKind::Active { offset_expr, .. } = &element.kind else {
                    bail!("elements are used later than at the start")
                };
                let offset = ConstExpr::i32_const(parts.constant(part, offset_expr)?);
                elements.active(None, &offset, numbers.element_items(element.items.clone())?);
            }
            for body in &module.bodies {
                numbers.parse_function_body(&mut code, body.clone())?;
            }
            for (index, name) in &module.names {
                if let Some(number) = numbers.functions.get(*index as usize)
                    && module.functions.own(*index).is_some()
                {
                    named.insert(*number, name);
                }
            }
        }
        ensure!(tables.len() == 1 && memories.len() == 1, "the parts share no table or memory");
        data.active(0, &ConstExpr::i32_const(0), memory.bytes().iter().copied());
        for (number, name) in named {
            names.append(number, name);
        }
        let mut module = wasm_encoder::Module::new();
        module
            .section(&self.type_section()?)
            .section(&self.import_section())
            .section(&functions)
            .section(&tables)
            .section(&memories)
            .section(&globals)
            .section(&self.export_section(parts, exports)?)
            .section(&elements)
            .section(&code)
            .section(&data);
        let mut section = NameSection::new();
        section.functions(&names);
        module.section(&section);
        Ok(module.finish())
    }

    fn type_section(&self) -> Result<TypeSection> {
        let mut section = TypeSection::new();
        for kind in &self.types {
            section.ty().func_type(&reencode::RoundtripReencoder.func_type(kind.clone())?);
        }
        Ok(section)
    }

    fn import_section(&self) -> ImportSection {
        let mut section = ImportSection::new();
        for (number, kind) in &self.outside {
            section.import("", &number.to_string(), EntityType::Function(*kind));
        }
        section
    }

    fn export_section(
        &self,
        parts: &Parts<'_>,
        exports: &[(String, u32, &str)],
    ) -> Result<ExportSection> {
        let mut section = ExportSection::new();
        for (name, part, of_part) in exports {
            let (kind, place) = parts.export(*part, of_part)?;
            let index = match kind {
                ExternalKind::Func => {
                    *self.functions.get(&place).context("a function is missing")?
                }
                ExternalKind::Memory => 0,
                other => bail!("{other:?} {of_part} is used outside"),
            };
            section.export(name, reencode::RoundtripReencoder.export_kind(kind)?, index);
        }
        Ok(section)
    }
}
