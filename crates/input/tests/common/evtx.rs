//! Writes small EVTX files, so that tests have some without carrying anybody's logs along. Every value is written as text;
//! templates, which Windows uses to save space, are not.

use flate2::Crc;

pub const HEADER: usize = 4096;
pub const CHUNK: usize = 65536;

/// 2024-05-06T07:08:09.1234567Z, when each record was written.
const WRITTEN: u64 = 133_594_528_891_234_567;

/// A file with one chunk per slice, and in it one record per text: the XML of an event, without comments and white space.
/// Records are numbered through from 1.
pub fn file(chunks: &[&[&str]]) -> Vec<u8> {
    let mut id = 0;
    let mut body = Vec::new();
    for records in chunks {
        body.extend(chunk(records, &mut id));
    }
    let mut header = vec![0; HEADER];
    put(&mut header, 0, b"ElfFile\0");
    put(
        &mut header,
        16,
        &(chunks.len() as u64).saturating_sub(1).to_le_bytes(),
    );
    put(&mut header, 24, &(id + 1).to_le_bytes());
    put(&mut header, 32, &128u32.to_le_bytes());
    put(&mut header, 36, &1u16.to_le_bytes());
    put(&mut header, 38, &3u16.to_le_bytes());
    put(&mut header, 40, &(HEADER as u16).to_le_bytes());
    put(&mut header, 42, &(chunks.len() as u16).to_le_bytes());
    let sum = checksum(&[&header[..120]]);
    put(&mut header, 124, &sum);
    header.extend(body);
    header
}

fn chunk(records: &[&str], id: &mut u64) -> Vec<u8> {
    let first = *id + 1;
    let mut last = 512;
    let mut chunk = vec![0; 512];
    for xml in records {
        *id += 1;
        last = chunk.len();
        record(&mut chunk, *id, xml);
    }
    let end = chunk.len();
    assert!(end <= CHUNK, "too much for one chunk");
    for (at, value) in [(8, first), (16, *id), (24, first), (32, *id)] {
        put(&mut chunk, at, &value.to_le_bytes());
    }
    put(&mut chunk, 0, b"ElfChnk\0");
    for (at, value) in [(40, 128), (44, last as u32), (48, end as u32)] {
        put(&mut chunk, at, &value.to_le_bytes());
    }
    let sum = checksum(&[&chunk[512..]]);
    put(&mut chunk, 52, &sum);
    let sum = checksum(&[&chunk[..120], &chunk[128..512]]);
    put(&mut chunk, 124, &sum);
    chunk.resize(CHUNK, 0);
    chunk
}

fn record(out: &mut Vec<u8>, id: u64, xml: &str) {
    let start = out.len();
    out.extend(*b"\x2a\x2a\0\0\0\0\0\0");
    out.extend(id.to_le_bytes());
    out.extend(WRITTEN.to_le_bytes());
    out.extend([0x0f, 1, 1, 0]);
    let rest = element(out, xml);
    assert_eq!(rest, "", "one element a record");
    out.push(0);
    let size = (out.len() - start + 4) as u32;
    put(out, start + 4, &size.to_le_bytes());
    out.extend(size.to_le_bytes());
}

/// Writes the element that `xml` begins with, and returns what follows it.
fn element<'a>(out: &mut Vec<u8>, xml: &'a str) -> &'a str {
    let (tag, mut rest) = xml
        .strip_prefix('<')
        .and_then(|xml| xml.split_once('>'))
        .expect("an element");
    let (tag, is_empty) = tag
        .strip_suffix('/')
        .map_or((tag, false), |tag| (tag, true));
    let (tag, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
    out.push(if attributes.is_empty() { 0x01 } else { 0x41 });
    let size = hole(out);
    name(out, tag);
    if !attributes.is_empty() {
        let size = hole(out);
        let mut left = attributes;
        while let Some((key, value)) = left.split_once("=\"") {
            let (value, after) = value.split_once('"').expect("a closing quote");
            left = after.trim_start();
            out.push(if left.is_empty() { 0x06 } else { 0x46 });
            name(out, key);
            text(out, value);
        }
        fill(out, size);
    }
    if is_empty {
        out.push(0x03);
    } else {
        out.push(0x02);
        loop {
            if let Some((_, after)) = rest
                .strip_prefix("</")
                .and_then(|rest| rest.split_once('>'))
            {
                rest = after;
                out.push(0x04);
                break;
            }
            if rest.starts_with('<') {
                rest = element(out, rest);
            } else {
                let end = rest.find('<').expect("a closing tag");
                text(out, &rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    fill(out, size);
    rest
}

/// A name, at the place where it is first used. Offsets count from the beginning of the chunk, as `out` does.
fn name(out: &mut Vec<u8>, name: &str) {
    let offset = out.len() as u32 + 4;
    let hash = name.encode_utf16().fold(0u32, |hash, unit| {
        hash.wrapping_mul(65599).wrapping_add(u32::from(unit))
    });
    out.extend(offset.to_le_bytes());
    out.extend(0u32.to_le_bytes());
    out.extend((hash as u16).to_le_bytes());
    utf16(out, name);
    out.extend([0, 0]);
}

fn text(out: &mut Vec<u8>, value: &str) {
    out.extend([0x05, 0x01]);
    utf16(
        out,
        &value
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&"),
    );
}

fn utf16(out: &mut Vec<u8>, text: &str) {
    out.extend((text.encode_utf16().count() as u16).to_le_bytes());
    out.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
}

/// Leaves room for the size of what follows, to be filled in later.
fn hole(out: &mut Vec<u8>) -> usize {
    out.extend([0; 4]);
    out.len()
}

fn fill(out: &mut [u8], start: usize) {
    let size = (out.len() - start) as u32;
    put(out, start - 4, &size.to_le_bytes());
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    out[at..at + bytes.len()].copy_from_slice(bytes);
}

fn checksum(parts: &[&[u8]]) -> [u8; 4] {
    let mut sum = Crc::new();
    parts.iter().for_each(|part| sum.update(part));
    sum.sum().to_le_bytes()
}
