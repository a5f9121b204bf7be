//! The files of a crate do not use each other in circles: each can be read after those that it depends on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A module by its names from the crate's root, which has none.
type Name = Vec<String>;

/// One file.
#[derive(Debug, Default)]
struct Module {
    /// Without comments and its own tests.
    code: String,
    /// What it has from its own files and passes on, by its name here.
    passes_on: BTreeMap<String, Name>,
}

#[test]
fn files_of_a_crate_do_not_use_each_other_in_circles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut faults = Vec::new();
    for home in ["functions", "shared", "infra", "."] {
        for entry in fs::read_dir(root.join(home)).expect("the folder is there").flatten() {
            let sources = entry.path().join("src");
            let name = entry.file_name().display().to_string();
            faults.extend(circles(&sources).iter().map(|circle| format!("{name}: {circle}")));
        }
    }
    assert!(faults.is_empty(), "{} circle(s):\n{}", faults.len(), faults.join("\n"));
}

/// The circles between the files of the crate with these sources.
fn circles(sources: &Path) -> Vec<String> {
    let mut modules = BTreeMap::new();
    read(sources, &Name::new(), &mut modules);
    let mut uses: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
    for (name, module) in &modules {
        let paths = used_paths(name, module, &modules);
        let others = paths.filter_map(|path| find(&path, name, &modules));
        uses.insert(name.clone(), others.filter(|other| other != name).collect());
    }
    let mut found = Vec::new();
    while let Some(circle) = a_circle(&mut uses) {
        let files: Vec<String> = circle.iter().map(file).collect();
        found.push(files.join(" -> "));
        // Without one of its uses the others can be found.
        let last = &circle[circle.len() - 2];
        uses.get_mut(last).expect("it is in the circle").remove(&circle[0]);
    }
    found
}

fn file(name: &Name) -> String {
    if name.is_empty() { "lib".to_owned() } else { name.join("/") }
}

/// Reads a folder's modules, without tests. Programs beside the library are crates of their own.
fn read(folder: &Path, name: &Name, modules: &mut BTreeMap<Name, Module>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let child = || [name.as_slice(), std::slice::from_ref(&stem)].concat();
        if stem == "tests" {
            continue;
        }
        if path.is_dir() {
            if stem != "bin" {
                read(&path, &child(), modules);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("the file can be read");
            let of_file = match stem.as_str() {
                "main" if name.is_empty() => continue,
                "lib" | "mod" => name.clone(),
                _ => child(),
            };
            modules.insert(of_file, parse(&text));
        }
    }
}

fn parse(text: &str) -> Module {
    let mut code = String::new();
    let mut is_inside = false;
    let mut lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            let tested = lines.next().unwrap_or_default();
            if tested.ends_with('{') {
                lines.by_ref().find(|line| *line == "}");
            }
            continue;
        }
        // A module within the file is this file, too.
        is_inside = (is_inside || line.ends_with('{') && line.contains("mod ")) && line != "}";
        code.push_str(&if is_inside { line.replace("super::", "self::") } else { line.to_owned() });
        code.push('\n');
    }
    let mut module = Module { code: String::new(), passes_on: BTreeMap::new() };
    // What is passed on is used by whoever takes it, not here.
    for statement in code.split_inclusive(';') {
        let start = statement.rfind("pub use ").or_else(|| statement.rfind("pub(crate) use "));
        let start = start.or_else(|| statement.rfind("pub(super) use "));
        let (before, tree) = statement.split_at(start.unwrap_or(statement.len()));
        module.code.push_str(before);
        let tree = tree.split_once("use ").map_or("", |(_, tree)| tree);
        for (path, called) in expand(tree.trim_end_matches(';')) {
            module.passes_on.insert(called, path);
        }
    }
    module
}

/// The paths of a `use`, each with what it is called afterwards.
fn expand(tree: &str) -> Vec<(Name, String)> {
    let tree = tree.trim();
    if tree.is_empty() {
        return Vec::new();
    }
    if let Some((prefix, rest)) = tree.split_once('{') {
        let inner = rest.strip_suffix('}').unwrap_or(rest);
        let prefix = segments(prefix);
        let (mut depth, mut start, mut all) = (0_i32, 0, Vec::new());
        for (at, character) in inner.char_indices().chain([(inner.len(), ',')]) {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let parts = expand(&inner[start..at]).into_iter();
                    all.extend(parts.map(|(path, called)| {
                        ([prefix.as_slice(), path.as_slice()].concat(), called)
                    }));
                    start = at + 1;
                }
                _ => {}
            }
        }
        return all;
    }
    let (path, called) = tree.split_once(" as ").unwrap_or((tree, ""));
    let path = segments(path);
    let last = path.iter().rfind(|segment| *segment != "self").cloned().unwrap_or_default();
    vec![(path, if called.is_empty() { last } else { called.trim().to_owned() })]
}

fn segments(path: &str) -> Name {
    path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Every path in a module's code that may lead to another file.
fn used_paths<'a>(
    name: &'a Name,
    module: &'a Module,
    modules: &'a BTreeMap<Name, Module>,
) -> impl Iterator<Item = Name> + 'a {
    let uses = module.code.match_indices("use ").filter(|(at, _)| starts_word(&module.code, *at));
    let imported = uses.flat_map(|(at, word)| {
        let tree = module.code[at + word.len()..].split(';').next().unwrap_or_default();
        expand(tree).into_iter().map(|(path, _)| path)
    });
    let children = modules
        .keys()
        .filter(|other| other.len() == name.len() + 1 && other.starts_with(name))
        .filter_map(|child| child.last().map(String::as_str));
    let roots = children.chain(["crate", "super"]);
    let written_out = roots.flat_map(|root| {
        let found = module.code.match_indices(root);
        found.filter_map(|(at, _)| {
            let rest = &module.code[at..];
            let is_path = rest[root.len()..].starts_with("::") && starts_word(&module.code, at);
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let (path, behind) = rest.split_at(end.unwrap_or(rest.len()));
            // The whole of such a `use` is looked at above.
            (is_path && !behind.starts_with('{')).then(|| segments(path))
        })
    });
    imported.chain(written_out)
}

fn starts_word(code: &str, at: usize) -> bool {
    let before = code[..at].chars().next_back();
    !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
}

/// The module that a path of module `from` leads to, if it is one of this crate.
fn find(path: &Name, from: &Name, modules: &BTreeMap<Name, Module>) -> Option<Name> {
    let mut at = match path.first()?.as_str() {
        "crate" => Name::new(),
        "self" | "super" => from.clone(),
        child => {
            let is_child = modules.contains_key(&[from.as_slice(), &[child.to_owned()]].concat());
            is_child.then(|| from.clone())?
        }
    };
    let mut rest: Vec<String> = path.iter().rev().cloned().collect();
    // Long enough for any path; what passes itself on would go on for ever.
    for _ in 0..50 {
        let Some(segment) = rest.pop() else { break };
        let child = [at.as_slice(), std::slice::from_ref(&segment)].concat();
        if matches!(segment.as_str(), "crate" | "self") {
            continue;
        } else if segment == "super" {
            at.pop();
        } else if modules.contains_key(&child) {
            at = child;
        } else if let Some(passed_on) = modules[&at].passes_on.get(&segment) {
            let from_root = passed_on.first().is_some_and(|first| first == "crate");
            let first = [at.as_slice(), &passed_on[..1]].concat();
            let is_ours = from_root
                || matches!(passed_on[0].as_str(), "self" | "super")
                || modules.contains_key(&first);
            if !is_ours {
                return None;
            }
            if from_root {
                at = Name::new();
            }
            rest.extend(passed_on.iter().rev().cloned());
        } else {
            break;
        }
    }
    Some(at)
}

/// A circle, with its first module at its end once more. What is in none is taken out.
fn a_circle(uses: &mut BTreeMap<Name, BTreeSet<Name>>) -> Option<Vec<Name>> {
    loop {
        let before = uses.len();
        let names: BTreeSet<Name> = uses.keys().cloned().collect();
        uses.retain(|_, others| !others.is_disjoint(&names));
        if uses.len() == before {
            break;
        }
    }
    let mut way = vec![uses.keys().next()?.clone()];
    loop {
        let here = way.last().expect("it has a beginning");
        let next = uses[here].iter().find(|other| uses.contains_key(*other));
        let next = next.expect("the others were taken out").clone();
        let seen = way.iter().position(|name| *name == next);
        way.push(next);
        if let Some(start) = seen {
            return Some(way.split_off(start));
        }
    }
}
