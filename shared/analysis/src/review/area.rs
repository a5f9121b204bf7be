//! The parts of a program that run by themselves: the program's own lines, and the body of each function.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::{Expr, ExprName, Stmt, StmtFunctionDef};
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::tree::{self, All};

/// The program's own lines, or a function.
pub(super) struct Area<'a> {
    /// None for the program's own lines.
    pub(super) function: Option<&'a StmtFunctionDef>,
    pub(super) body: &'a [Stmt],
    /// Whether it is called with its object, and never by its name alone.
    pub(super) is_method: bool,
    /// What runs with it, without functions and classes in it.
    pub(super) own: All<'a>,
    /// Names that belong to an area around this one.
    pub(super) declared: BTreeSet<&'a str>,
    loops: Vec<TextRange>,
    attempts: Vec<TextRange>,
    /// In the order of the text; with those in functions inside of it.
    reads: BTreeMap<&'a str, Vec<TextSize>>,
    stores: BTreeMap<&'a str, Vec<TextSize>>,
    values: BTreeMap<&'a str, Vec<&'a Expr>>,
    /// The first assignment of each name, with its line.
    begun: BTreeMap<&'a str, (&'a Stmt, &'a Expr)>,
    /// How many ranges names go through.
    counted: BTreeMap<&'a str, usize>,
    /// The names that loops go through.
    items: BTreeSet<&'a str>,
}

/// All areas of a program, its own lines first.
pub(super) fn areas(body: &[Stmt]) -> Vec<Area<'_>> {
    let all = tree::all(body);
    let methods: BTreeSet<*const StmtFunctionDef> = all
        .statements
        .iter()
        .filter_map(|stmt| stmt.as_class_def_stmt())
        .flat_map(|class| class.body.iter().filter_map(|stmt| stmt.as_function_def_stmt()))
        .map(std::ptr::from_ref)
        .collect();
    let functions = all.functions().map(|function| Area {
        is_method: methods.contains(&std::ptr::from_ref(function)),
        ..Area::new(Some(function), &function.body)
    });
    std::iter::once(Area::new(None, body)).chain(functions).collect()
}

impl<'a> Area<'a> {
    fn new(function: Option<&'a StmtFunctionDef>, body: &'a [Stmt]) -> Self {
        let own = tree::own(body);
        let inside = tree::all(body);
        let stores = places(&own, |name| name.ctx.is_store());
        let reads = places(&inside, |name| !name.ctx.is_store());
        let declared = inside.statements.iter().filter_map(|stmt| match stmt {
            Stmt::Global(declared) => Some(&declared.names),
            Stmt::Nonlocal(declared) => Some(&declared.names),
            _ => None,
        });
        let mut values: BTreeMap<&str, Vec<&Expr>> = BTreeMap::new();
        let mut begun = BTreeMap::new();
        let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
        for stmt in &own.statements {
            if let Stmt::Assign(assignment) = stmt
                && let Some(name) = assignment.targets.first().and_then(tree::name)
            {
                begun.entry(name).or_insert((*stmt, &*assignment.value));
            }
            let (target, value) = match stmt {
                Stmt::Assign(assignment) => match assignment.targets.as_slice() {
                    [target] => (target, &assignment.value),
                    _ => continue,
                },
                Stmt::AugAssign(change) => (&*change.target, &change.value),
                Stmt::For(repeat) if is_count(&repeat.iter) => {
                    if let Some(name) = tree::name(&repeat.target) {
                        *counted.entry(name).or_default() += 1;
                    }
                    continue;
                }
                _ => continue,
            };
            if let Some(name) = tree::name(target) {
                values.entry(name).or_default().push(value);
            }
        }
        let repeats = own.statements.iter().filter_map(|stmt| stmt.as_for_stmt());
        let items = repeats.filter_map(|repeat| tree::name(&repeat.target));
        let ranges = |is: fn(&Stmt) -> bool| {
            own.statements.iter().filter(|stmt| is(stmt)).map(|stmt| stmt.range()).collect()
        };
        Self {
            function,
            body,
            is_method: false,
            declared: declared.flatten().map(|name| name.as_str()).collect(),
            loops: ranges(|stmt| stmt.is_for_stmt() || stmt.is_while_stmt()),
            attempts: ranges(Stmt::is_try_stmt),
            values,
            counted,
            begun,
            items: items.collect(),
            reads,
            stores,
            own,
        }
    }

    /// The function's name, or «» for the program's own lines.
    pub(super) fn name(&self) -> &'a str {
        self.function.map_or("", |function| function.name.as_str())
    }

    pub(super) fn is_parameter(&self, name: &str) -> bool {
        self.function.is_some_and(|function| {
            function.parameters.iter().any(|parameter| parameter.name().as_str() == name)
        })
    }

    /// Whether the name is assigned here and belongs here.
    pub(super) fn is_local(&self, name: &str) -> bool {
        self.stores.contains_key(name) && !self.declared.contains(name)
    }

    /// From its first line to its last.
    pub(super) fn range(&self) -> TextRange {
        match (self.body.first(), self.body.last()) {
            (Some(first), Some(last)) => TextRange::new(first.start(), last.end()),
            _ => TextRange::default(),
        }
    }

    /// The names that are assigned here.
    pub(super) fn bound(&self) -> impl Iterator<Item = &'a str> {
        self.stores.keys().copied()
    }

    pub(super) fn is_read(&self, name: &str) -> bool {
        self.reads.contains_key(name)
    }

    pub(super) fn is_read_after(&self, name: &str, place: TextSize) -> bool {
        self.reads.get(name).and_then(|places| places.last()).is_some_and(|read| *read >= place)
    }

    pub(super) fn reads_in(&self, name: &str, range: TextRange) -> usize {
        count(&self.reads, name, range)
    }

    pub(super) fn stores_in(&self, name: &str, range: TextRange) -> usize {
        count(&self.stores, name, range)
    }

    /// How often it is assigned.
    pub(super) fn stores_of(&self, name: &str) -> usize {
        self.stores.get(name).map_or(0, Vec::len)
    }

    pub(super) fn is_stored_before(&self, name: &str, place: TextSize) -> bool {
        self.stores.get(name).and_then(|places| places.first()).is_some_and(|store| *store < place)
    }

    /// Whether a `for` gives the name its items.
    pub(super) fn goes_through(&self, name: &str) -> bool {
        self.items.contains(name)
    }

    pub(super) fn is_in_loop(&self, place: impl Ranged) -> bool {
        is_inside(&self.loops, place.range())
    }

    pub(super) fn is_attempted(&self, place: impl Ranged) -> bool {
        is_inside(&self.attempts, place.range())
    }

    /// The values of its `return` lines.
    pub(super) fn returned(&self) -> impl Iterator<Item = &'a Expr> {
        let returns = self.own.statements.iter().filter_map(|stmt| stmt.as_return_stmt());
        returns.filter_map(|stmt| stmt.value.as_deref())
    }

    /// Whether it gives a value back.
    pub(super) fn returns_value(&self) -> bool {
        self.returned().any(|value| !value.is_none_literal_expr())
    }

    pub(super) fn is_generator(&self) -> bool {
        self.own.expressions.iter().any(|expr| expr.is_yield_expr() || expr.is_yield_from_expr())
    }

    /// What a name is assigned, if it is assigned once.
    pub(super) fn only_value(&self, name: &str) -> Option<&'a Expr> {
        match self.all_values(name) {
            [value] if !self.counts(name) => Some(value),
            _ => None,
        }
    }

    /// The first line that assigns a name, and the value that it gets there.
    pub(super) fn first_value(&self, name: &str) -> Option<(&'a Stmt, &'a Expr)> {
        self.begun.get(name).copied()
    }

    /// Whether a name goes through a range.
    pub(super) fn counts(&self, name: &str) -> bool {
        self.counted.contains_key(name)
    }

    /// What a name is assigned, if it is assigned once and otherwise only grows by this.
    pub(super) fn all_values_but(&self, name: &str, growth: &Expr) -> Option<&'a Expr> {
        let mut others =
            self.all_values(name).iter().copied().filter(|value| !std::ptr::eq(*value, growth));
        let first = others.next()?;
        others.next().is_none().then_some(first)
    }

    /// What a name is assigned or grows by, where it is a count otherwise. None if it may get other values.
    pub(super) fn all_values(&self, name: &str) -> &[&'a Expr] {
        let values = self.values.get(name).map_or(&[][..], Vec::as_slice);
        let counts = self.counted.get(name).copied().unwrap_or(0);
        let are_all = values.len() + counts == self.stores_of(name)
            && !self.is_parameter(name)
            && !self.declared.contains(name);
        if are_all { values } else { &[] }
    }
}

/// `range(...)`: a name that goes through it is a whole number.
fn is_count(iter: &Expr) -> bool {
    iter.as_call_expr().is_some_and(|call| tree::name(&call.func) == Some("range"))
}

/// Where names are, in the order of the text.
fn places<'a>(all: &All<'a>, is_one: fn(&ExprName) -> bool) -> BTreeMap<&'a str, Vec<TextSize>> {
    let mut places: BTreeMap<&str, Vec<TextSize>> = BTreeMap::new();
    for name in all.expressions.iter().filter_map(|expr| expr.as_name_expr()) {
        if is_one(name) {
            places.entry(&name.id).or_default().push(name.start());
        }
    }
    places.values_mut().for_each(|places| places.sort_unstable());
    places
}

fn count(places: &BTreeMap<&str, Vec<TextSize>>, name: &str, range: TextRange) -> usize {
    places.get(name).map_or(0, |places| {
        let before = |end: TextSize| places.partition_point(|place| *place < end);
        before(range.end()) - before(range.start())
    })
}

fn is_inside(ranges: &[TextRange], place: TextRange) -> bool {
    ranges.iter().any(|range| range.contains_range(place) && *range != place)
}
