//! `sigtag indices`: which there are.

use crate::arguments::{IndicesCommand, Rows};
use crate::{Exit, show, stores};
use store::{Embedded, IndexInfo};

pub(crate) fn run(command: &IndicesCommand) -> Exit {
    let folder = &command.store.folder;
    let changes = command.delete || command.alias.is_some();
    let store = match changes {
        true => stores::to_write(folder),
        false => Embedded::open_to_read(folder),
    };
    let listed = stores::with(store, async |store| {
        if command.delete {
            return store.delete(&command.index).await.map(|names| {
                let lines = names.iter().map(|name| format!("deleted {name}\n"));
                lines.collect::<String>().into_bytes()
            });
        }
        let indices = store.indices(&command.index).await?;
        match &command.alias {
            Some(alias) => {
                let names = indices.into_iter().map(|index| index.name).collect();
                store.alias(alias, names).await?;
                rows(&store.indices(alias).await?, command.format)
            }
            None => rows(&indices, command.format),
        }
    });
    match listed {
        Ok(text) => show::output(&text, Exit::Done),
        Err(exit) => exit,
    }
}

fn rows(indices: &[IndexInfo], format: Rows) -> Result<Vec<u8>, store::StoreError> {
    let mut text = match format {
        Rows::Table => show::indices(indices),
        Rows::Jsonl => {
            let lines = indices
                .iter()
                .map(|index| serde_json::json!(index).to_string() + "\n");
            lines.collect()
        }
    }
    .into_bytes();
    if format == Rows::Table {
        text.push(b'\n');
    }
    Ok(text)
}
