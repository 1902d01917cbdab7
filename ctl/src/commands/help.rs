//! `help`

use super::{Command, Completes, DEFAULT, FURTHER, find};
use crate::controller::{Controller, Flow};
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: "help",
    help: "help\t\tList the commands\n\
           help <action>\tExplain a command",
    completes: Completes::Commands,
    run,
};

/// Widest line of the list, in characters.
const LINE_WIDTH: usize = 79;

fn run(ctl: &mut Controller, args: &str) -> Result<Flow, Failure> {
    if args.is_empty() {
        ctl.print(overview())?;
    } else if let Some(command) = find(args) {
        ctl.print(command.help)?;
    } else {
        ctl.print(format_args!("*** No help on {args}"))?;
    }
    Ok(Flow::Continue)
}

/// Supervisor has a paragraph per plug-in; the first is that of its own commands.
fn overview() -> String {
    paragraph("default", &DEFAULT) + &paragraph("further", &FURTHER)
}

fn paragraph(title: &str, commands: &[&Command]) -> String {
    let header = format!("{title} commands (type help <topic>):");
    let names = commands.iter().map(|command| command.name);
    // The reader knows this one.
    let names: Vec<_> = names.filter(|name| *name != COMMAND.name).collect();
    let ruler = "=".repeat(header.len());
    let columns = columns(&names, LINE_WIDTH).join("\n");
    format!("\n{header}\n{ruler}\n{columns}\n")
}

/// Lays names out in as few lines as the width allows, sorted downwards as Python's `cmd` module does it.
fn columns(names: &[&str], width: usize) -> Vec<String> {
    for rows in 1..names.len() {
        let columns: Vec<_> = names.chunks(rows).collect();
        let widths: Vec<_> = columns
            .iter()
            .map(|column| column.iter().map(|name| name.len()).max().unwrap_or(0))
            .collect();
        if widths.iter().sum::<usize>() + 2 * (widths.len() - 1) <= width {
            let line = |row| {
                let cells = columns.iter().zip(&widths);
                let cells = cells.filter_map(|(column, width)| {
                    let name = column.get(row)?;
                    Some(format!("{name:width$}"))
                });
                cells.collect::<Vec<_>>().join("  ")
            };
            return (0..rows).map(line).collect();
        }
    }
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overview_is_laid_out_like_supervisors() {
        let expected = "\ndefault commands (type help <topic>):\n\
            =====================================\n\
            add    exit      open  reload  restart   start   tail   \n\
            avail  fg        pid   remove  shutdown  status  update \n\
            clear  maintail  quit  reread  signal    stop    version\n\n\
            further commands (type help <topic>):\n\
            =====================================\n\
            hash-password  mrestart  mstart  mstop  pools  serialrestart  upgrade\n";
        assert_eq!(overview(), expected);
    }

    #[test]
    fn narrow_lists_have_one_column() {
        assert_eq!(columns(&["abc", "def"], 5), ["abc", "def"]);
        assert_eq!(columns(&["a", "b", "c"], 4), ["a  c", "b"]);
        assert_eq!(columns(&["a"], 4), ["a"]);
        assert!(columns(&[], 4).is_empty());
    }
}
