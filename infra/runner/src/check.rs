//! `learnflow check-course`, `course-schema` and `quality`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use checks::{course, errors, mistakes, nudges, programs, quality, questions, syntax_errors};
use clap::Args;
use code_execution::workers::Workers;

use crate::terminal::say;

/// Which course.
#[derive(Debug, Args)]
pub(crate) struct CourseArguments {
    /// The folder with the course's files; by default the built-in course.
    folder: Option<PathBuf>,
}

/// Where to.
#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// The folder to write the schemas to, one file for each kind of content.
    folder: PathBuf,
}

/// Writes the schemas of the course's files.
pub(crate) fn write_schemas(arguments: &SchemaArguments) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&arguments.folder).context("the folder cannot be made")?;
    for (name, schema) in curriculum::schema::schemas() {
        let path = arguments.folder.join(format!("{name}.json"));
        std::fs::write(&path, curriculum::schema::text(&schema))
            .with_context(|| format!("cannot write {}", path.display()))?;
        say(path.display());
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn check_course(arguments: CourseArguments) -> anyhow::Result<ExitCode> {
    let loaded;
    let course = match &arguments.folder {
        None => curriculum::embedded(),
        Some(folder) => {
            loaded = curriculum::read(folder).context("the course cannot be read")?;
            &loaded
        }
    };
    let workers = Workers::thread(code_execution::built_image())?;
    let found = course::check(course, &workers).await;
    for fault in &found.faults {
        say(fault);
    }
    say(&found);
    Ok(if found.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What to measure besides the project's own cases.
#[derive(Debug, Args)]
pub(crate) struct QualityArguments {
    /// A folder with public data sets: only they are measured. `FITech/MainTable.csv` are sessions in which experts
    /// marked when help was needed; the other folders are the repositories or packages of these
    /// names: `friendly-traceback`, `CS1QA`, `socratic-debugging-benchmark`, `refactory`, `python` (Exercism's),
    /// `human-eval`, `mcminer`, `QuixBugs`.
    #[arg(long)]
    data: Option<PathBuf>,
}

pub(crate) async fn measure_quality(arguments: QualityArguments) -> anyhow::Result<ExitCode> {
    if let Some(folder) = arguments.data {
        let sessions = folder.join("FITech/MainTable.csv");
        if sessions.exists() {
            say(nudges::replay(&sessions)?);
        }
        let fixtures = folder.join("friendly-traceback");
        if fixtures.exists() {
            let workers = Workers::thread(code_execution::built_image())?;
            say(syntax_errors::measure(&fixtures, &workers).await?);
        }
        if folder.join("CS1QA").exists() || folder.join("socratic-debugging-benchmark").exists() {
            say(questions::measure(&folder)?);
        }
        if ["refactory", "python", "human-eval", "mcminer"]
            .iter()
            .any(|set| folder.join(set).exists())
        {
            say(programs::measure(&folder)?);
        }
        if ["socratic-debugging-benchmark", "QuixBugs", "refactory"]
            .iter()
            .any(|set| folder.join(set).exists())
        {
            let workers = Workers::thread(code_execution::built_image())?;
            say(mistakes::measure(&folder, &workers).await?);
        }
        if folder.join("refactory").exists() {
            let workers = Workers::thread(code_execution::built_image())?;
            say(errors::measure(&folder, &workers).await?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let workers = Workers::thread(code_execution::built_image())?;
    let is_good = quality::report(&workers, say).await;
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
