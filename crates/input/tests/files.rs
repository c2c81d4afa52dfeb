//! Files, folders, names, compression: everything before the first decoder.

mod common;

use common::{Slow, gzip, read_bytes, read_from, read_path, zstd};
use event::Parser;
use input::{Effect, Reason, inputs};
use std::fs;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// The names of the files that are read, below the folder.
fn names(folder: &Path) -> Vec<String> {
    let shown = format!("{}/", folder.display());
    let list = inputs(&[folder.to_path_buf()]).list;
    list.iter()
        .map(|input| input.file.strip_prefix(&shown).unwrap().to_owned())
        .collect()
}

#[test]
fn folders_are_read_in_the_order_of_their_names() {
    let folder = folder(&[
        ("b.json", b"{}"),
        ("a/z.json", b"{\"a\":1}\n{}"),
        ("a/b/c", b"{}"),
        ("c", b""),
        ("B", b"{}"),
    ]);
    assert_eq!(
        names(folder.path()),
        ["B", "a/b/c", "a/z.json", "b.json", "c"]
    );
    let inputs = inputs(&[folder.path().join("b.json"), folder.path().join("a")]);
    let sizes: Vec<u64> = inputs.list.iter().map(|input| input.size).collect();
    assert_eq!(sizes, [2, 2, 10]);
    assert_eq!(inputs.size(), 14);
}

#[test]
fn a_path_is_shown_as_it_was_given() {
    let folder = folder(&[("sub/a.json", b"{}")]);
    let given = folder.path().join("sub").join("..").join("sub");
    let shown = inputs(std::slice::from_ref(&given)).list[0]
        .file
        .to_string();
    assert_eq!(shown, given.join("a.json").display().to_string());
    let out = inputs(&[PathBuf::from("-")]);
    assert_eq!((&*out.list[0].file, out.size()), ("-", 0));
}

#[test]
fn what_is_not_ours_is_noted_in_a_folder_and_wrong_by_name() {
    let yaml = b"title: a rule\ndetection:\n  selection:\n    a: [b, c]\n";
    let others: &[(&str, &[u8])] = &[
        ("rule.yml", yaml),
        ("notes.txt", b"Some text.\n\nMore of it.\n"),
        ("log.txt", b"[2024-01-01] started\n[2024-01-02] stopped\n"),
        ("image.png", b"\x89PNG\r\n\x1a\n\0\0\0"),
        ("template.txt", b"{{ name }}\n{% if %}\n"),
        ("events.xml", b"<?xml version=\"1.0\"?><Events/>"),
        ("list.txt", b"apples, pears and plums\nbread\n"),
        (
            "tool.log",
            b"2024-01-02 03:04:05 INFO started\n2024-01-02 03:04:06 INFO stopped\n",
        ),
        ("binary", &[0, 1, 2, 3, 255]),
    ];
    let folder = folder(others);
    let out = read_path(folder.path());
    assert_eq!(
        out.report.count(Reason::Foreign),
        others.len() as u64,
        "{:?}",
        out.shown()
    );
    assert_eq!((out.events.len(), out.report.lost()), (0, 0));
    assert_eq!(Reason::Foreign.effect(), Effect::Noted);
    for (name, _) in others {
        let out = read_path(&folder.path().join(name));
        assert_eq!(
            out.report.count(Reason::NotEvents),
            1,
            "{name}: {:?}",
            out.shown()
        );
        assert_eq!(out.report.lost(), 1);
    }
}

#[test]
fn empty_files_are_fine() {
    let folder = folder(&[
        ("empty", b""),
        ("blank", b"\n \n"),
        ("empty.gz", &gzip(b"")),
        ("empty.zst", &zstd(b"")),
    ]);
    let out = read_path(folder.path());
    assert_eq!((out.events.len(), out.shown()), (0, vec![]));
    assert_eq!(inputs(&[folder.path().to_path_buf()]).list.len(), 4);
}

#[test]
fn a_missing_path_is_reported() {
    let folder = folder(&[("a.json", b"{}")]);
    let missing = folder.path().join("missing");
    let inputs = inputs(&[missing.clone(), folder.path().join("a.json")]);
    assert_eq!(inputs.list.len(), 1);
    let shown = inputs.report.issues[&Reason::Unreadable].examples[0].to_string();
    assert!(
        shown.starts_with(&format!(
            "{}: could not be read: No such file",
            missing.display()
        )),
        "{shown}"
    );
}

#[test]
fn a_file_may_vanish_before_it_is_read() {
    let folder = folder(&[("a.json", b"{}"), ("b.json", b"{}")]);
    let inputs = inputs(&[folder.path().to_path_buf()]);
    fs::remove_file(folder.path().join("a.json")).unwrap();
    let mut events = 0;
    let mut lost = 0;
    for input in &inputs.list {
        let report = input::read(input, &mut Parser::default(), &mut |batch| {
            events += batch.positions.len();
            ControlFlow::Continue(())
        });
        lost += report.lost();
    }
    assert_eq!((events, lost), (1, 1));
}

/// Whoever writes faster than we read must not keep us for ever.
#[test]
fn a_file_may_grow_while_it_is_read() {
    let folder = folder(&[("a.json", b"{\"n\":1}\n".repeat(400_000).as_slice())]);
    let path = folder.path().join("a.json");
    let inputs = inputs(std::slice::from_ref(&path));
    let mut count = 0;
    let report = input::read(&inputs.list[0], &mut Parser::default(), &mut |batch| {
        count += batch.positions.len();
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        std::io::Write::write_all(&mut file, &b"{\"n\":2}\n".repeat(400_000)).unwrap();
        ControlFlow::Continue(())
    });
    assert_eq!(
        (count, report.lost(), report.bytes),
        (400_000, 0, inputs.size())
    );
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    #[test]
    fn links_are_followed_but_no_folder_is_entered_twice() {
        let folder = folder(&[("a/one.json", b"{}"), ("b/two.json", b"{}")]);
        let path = folder.path();
        symlink(path, path.join("a/up")).unwrap();
        symlink(path.join("a"), path.join("b/beside")).unwrap();
        symlink("b/two.json", path.join("file.json")).unwrap();
        symlink("nowhere", path.join("broken")).unwrap();
        let out = read_path(path);
        assert_eq!(names(path), ["a/one.json", "b/two.json", "file.json"]);
        assert_eq!(out.report.count(Reason::SeenBefore), 2, "{:?}", out.shown());
        assert_eq!(out.report.count(Reason::Unreadable), 1, "{:?}", out.shown());
    }

    #[test]
    fn pipes_and_sockets_are_no_files() {
        let folder = folder(&[("a.json", b"{}")]);
        let pipe = folder.path().join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let out = read_path(folder.path());
        assert_eq!(
            (out.events.len(), out.report.count(Reason::Special)),
            (1, 2)
        );
        assert_eq!(read_path(&pipe).report.count(Reason::Special), 1);
        assert_eq!(
            read_path(Path::new("/dev/null"))
                .report
                .count(Reason::Special),
            1
        );
    }

    /// What a shell makes of `<(command)`.
    #[test]
    fn an_open_pipe_is_read_by_its_name() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, b"{}\n{}\n").unwrap();
        drop(writer);
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(&reader);
        let out = read_path(Path::new(&format!("/dev/fd/{descriptor}")));
        assert_eq!((out.events.len(), out.shown()), (2, vec![]));
    }

    #[test]
    fn names_need_not_be_utf8() {
        let folder = folder(&[]);
        fs::write(
            folder.path().join(OsStr::from_bytes(b"a\xff.json")),
            "{}\nnope\n",
        )
        .unwrap();
        let out = read_path(folder.path());
        assert_eq!(out.events.len(), 1);
        assert!(
            out.shown()[0].contains("/a\u{FFFD}.json:2:1: "),
            "{:?}",
            out.shown()
        );
    }

    #[test]
    fn what_may_not_be_read_is_reported() {
        let folder = folder(&[("a.json", b"{}"), ("b/c.json", b"{}"), ("d.json", b"{}")]);
        for name in ["a.json", "b"] {
            let path = folder.path().join(name);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
            if fs::metadata(&path).unwrap().is_file() && fs::File::open(&path).is_ok() {
                // Whoever may read everything cannot follow a link that leads nowhere, all the same.
                for (name, link) in [("a.json", "a"), ("b", "b")] {
                    let path = folder.path().join(name);
                    let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
                    std::os::unix::fs::symlink(folder.path().join(format!("no-{link}")), &path)
                        .unwrap();
                }
                break;
            }
        }
        let out = read_path(folder.path());
        if !folder.path().join("b").is_symlink() {
            fs::set_permissions(folder.path().join("b"), fs::Permissions::from_mode(0o700))
                .unwrap();
        }
        assert_eq!(
            (out.events.len(), out.report.count(Reason::Unreadable)),
            (1, 2),
            "{:?}",
            out.shown()
        );
    }
}

#[test]
fn compression_is_told_by_content() {
    let text = b"{\"a\":1}\n{\"a\":2}\n";
    let plain = read_bytes(text);
    let halves = text.split_at(8);
    let zstd_long = || {
        // A frame that zstd skips, as parallel compressors write them.
        let skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00\x01\x02\x03\x04";
        [&skipped[..], &zstd(text)].concat()
    };
    for (what, bytes) in [
        ("gzip", gzip(text)),
        (
            "gzip of two members",
            [gzip(halves.0), gzip(halves.1)].concat(),
        ),
        (
            "gzip of many members",
            [gzip(halves.0), gzip(b""), gzip(halves.1)].concat(),
        ),
        ("zstd", zstd(text)),
        (
            "zstd of two frames",
            [zstd(halves.0), zstd(halves.1)].concat(),
        ),
        ("zstd after a skipped frame", zstd_long()),
    ] {
        let out = read_bytes(&bytes);
        assert_eq!(out.events, plain.events, "{what}");
        assert_eq!(out.shown(), [""; 0], "{what}");
        assert_eq!(out.report.bytes, bytes.len() as u64, "{what}");
        let slow = read_from(Slow {
            bytes: &bytes,
            step: 1,
        });
        assert_eq!(slow, out, "{what}, byte by byte");
        // The name lies.
        let folder = folder(&[("events.txt", &bytes)]);
        assert_eq!(read_path(folder.path()).events, plain.events, "{what}");
    }
    let folder = folder(&[("plain.gz", text)]);
    assert_eq!(read_path(folder.path()).events, plain.events);
}

#[test]
fn a_cut_compressed_file_gives_what_is_there() {
    let text: String = (0..50_000)
        .map(|n| format!("{{\"number\":{}}}\n", n * 7919 % 50_021))
        .collect();
    for bytes in [gzip(text.as_bytes()), zstd(text.as_bytes())] {
        let out = read_bytes(&bytes[..bytes.len() * 2 / 3]);
        assert!(out.events.len() > 10_000, "{}", out.events.len());
        assert_eq!(
            out.report.count(Reason::BrokenCompression),
            1,
            "{:?}",
            out.shown()
        );
        let mut damaged = bytes.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 64].fill(0xaa);
        let out = read_bytes(&damaged);
        assert!(out.report.lost() > 0, "{:?}", out.shown());
    }
    let out = read_bytes([gzip(b"{}\n"), b"trailing".to_vec()].concat());
    assert_eq!(
        (out.events.len(), out.report.lost()),
        (1, 1),
        "{:?}",
        out.shown()
    );
}

#[test]
fn archives_are_refused_with_a_way_out() {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.set_cksum();
    tar.append_data(&mut header, "events.json", &b"{}"[..])
        .unwrap();
    let tar = tar.into_inner().unwrap();
    for (bytes, name) in [
        (b"PK\x03\x04\x14\x00rest".to_vec(), "a zip archive"),
        (b"PK\x05\x06".to_vec(), "an empty zip archive"),
        (b"7z\xbc\xaf\x27\x1c\x00".to_vec(), "a 7z archive"),
        (b"Rar!\x1a\x07\x00".to_vec(), "a rar archive"),
        (b"BZh91AY".to_vec(), "compressed with bzip2"),
        (b"\xfd7zXZ\x00".to_vec(), "compressed with xz"),
        (tar.clone(), "a tar archive"),
        (gzip(&tar), "a tar archive"),
        (zstd(b"PK\x03\x04"), "a zip archive"),
    ] {
        let out = read_bytes(&bytes);
        assert_eq!(
            out.report.count(Reason::Archive),
            1,
            "{name}: {:?}",
            out.shown()
        );
        let shown = &out.shown()[0];
        assert!(
            shown.starts_with(&format!(
                "-: cannot be unpacked by sigtag: {name}: unpack it"
            )),
            "{shown}"
        );
    }
    let twice = read_bytes(gzip(&zstd(b"{}")));
    assert_eq!(
        twice.shown(),
        ["-: cannot be unpacked by sigtag: compressed twice: unpack it once"]
    );
}

/// A bomb is unpacked piece by piece and never held: ten megabytes that unpack to some gigabytes would only take longer.
#[test]
fn a_compression_bomb_takes_no_memory() {
    let mut bomb = Vec::new();
    let zeros = std::io::repeat(b' ').take(300 << 20);
    flate2::read::GzEncoder::new(zeros, flate2::Compression::best())
        .read_to_end(&mut bomb)
        .unwrap();
    assert!(bomb.len() < 400_000);
    let mut largest = 0;
    let report = input::read_stream(
        "-".into(),
        &*[bomb, gzip(b"{}")].concat(),
        &mut Parser::default(),
        &mut |batch| {
            largest = largest.max(batch.block.size());
            ControlFlow::Continue(())
        },
    );
    assert_eq!((report.events, report.lost(), largest), (1, 0, 2));
}
