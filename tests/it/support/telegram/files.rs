//! What was uploaded? Files by their identifier, and whether a picture is one Telegram takes.

use std::collections::BTreeMap;

use axum::body::Bytes;
use serde_json::{Value, json};

use super::limits;
use super::params::{Params, Upload};
use super::refusal::Refusal;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Photo,
    Document,
}

/// A file on the server.
#[derive(Debug, Clone)]
pub(super) struct Media {
    pub(super) kind: Kind,
    id: String,
    unique: String,
    name: String,
    mime: String,
    path: String,
    pub(super) bytes: Bytes,
    /// Width and height of a photo.
    sides: (u64, u64),
}

impl Media {
    /// The field of a message that holds it.
    pub(super) fn field(&self) -> &'static str {
        if self.kind == Kind::Photo { "photo" } else { "document" }
    }

    pub(super) fn json(&self) -> Value {
        let size = self.bytes.len();
        if self.kind == Kind::Document {
            return json!({
                "file_id": self.id, "file_unique_id": self.unique, "file_size": size, "file_name": self.name,
                "mime_type": self.mime,
            });
        }
        let (width, height) = self.sides;
        let longest = width.max(height).max(320);
        let small = |side: u64| (side * 320 / longest).max(1);
        json!([
            { "file_id": format!("{}s", self.id), "file_unique_id": format!("{}s", self.unique),
              "file_size": size, "width": small(width), "height": small(height) },
            { "file_id": self.id, "file_unique_id": self.unique, "file_size": size, "width": width, "height": height },
        ])
    }

    pub(super) fn seen(&self) -> Value {
        json!({
            "kind": self.field(), "file_id": self.id, "file_name": self.name, "mime_type": self.mime,
            "bytes": self.bytes.len(), "width": self.sides.0, "height": self.sides.1,
        })
    }

    pub(super) fn same_file(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<String, Media>);

/// Width and height of a PNG or a JPEG.
fn sides(bytes: &[u8]) -> Option<(u64, u64)> {
    let word = |at: usize| Some(u64::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.get(12..16) == Some(b"IHDR") {
        let long = |at: usize| Some(word(at)? << 16 | word(at + 2)?);
        let whole = bytes.windows(4).any(|four| four == b"IEND");
        return Some((long(16)?, long(20)?)).filter(|_| whole);
    }
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return None;
    }
    let mut at = 2;
    while bytes.get(at) == Some(&0xff) {
        let marker = *bytes.get(at + 1)?;
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            return Some((word(at + 7)?, word(at + 5)?));
        }
        at += 2 + word(at + 2)? as usize;
    }
    None
}

fn check_photo(bytes: &[u8]) -> Result<(u64, u64), Refusal> {
    if bytes.len() > limits::PHOTO_BYTES {
        let why = format!(
            "file of size {} bytes is too big for a photo; the maximum size is {} bytes",
            bytes.len(),
            limits::PHOTO_BYTES
        );
        return Err(Refusal::bad(why));
    }
    let (width, height) = sides(bytes).ok_or_else(|| Refusal::bad("IMAGE_PROCESS_FAILED"))?;
    let (long, short) = (width.max(height), width.min(height));
    if short == 0 || width + height > limits::PHOTO_SIDES || long > short * limits::PHOTO_RATIO {
        return Err(Refusal::bad("PHOTO_INVALID_DIMENSIONS"));
    }
    Ok((width, height))
}

impl Files {
    /// Checks an upload and keeps it.
    ///
    /// # Errors
    /// Empty, too big, or a picture Telegram does not take.
    pub(super) fn keep(&mut self, kind: Kind, upload: &Upload) -> Result<Media, Refusal> {
        if upload.bytes.is_empty() {
            return Err(Refusal::bad("file must be non-empty"));
        }
        if upload.bytes.len() > limits::DOCUMENT_BYTES {
            return Err(Refusal::too_large());
        }
        let sides = if kind == Kind::Photo { check_photo(&upload.bytes)? } else { (0, 0) };
        let number = self.0.len();
        let (folder, letter) = if kind == Kind::Photo { ("photos", 'P') } else { ("documents", 'D') };
        let ending = upload.name.rsplit_once('.').map_or("bin", |(_, ending)| ending);
        let media = Media {
            kind,
            id: format!("{letter}QACAgIAAxkBAAI{number:06}"),
            unique: format!("AQAD{number:06}"),
            name: upload.name.clone(),
            mime: upload.mime.clone(),
            path: format!("{folder}/file_{number}.{ending}"),
            bytes: upload.bytes.clone(),
            sides,
        };
        self.0.insert(media.id.clone(), media.clone());
        Ok(media)
    }

    /// The file a parameter names: an upload of that name, an attached one, or one the server has.
    ///
    /// # Errors
    /// No file, or one the server cannot have.
    pub(super) fn find(
        &mut self,
        kind: Kind,
        field: &str,
        given: Option<&str>,
        from: &Params,
    ) -> Result<Media, Refusal> {
        let none = || Refusal::bad(format!("there is no {field} in the request"));
        let named = given.map_or(field, |given| given.strip_prefix("attach://").unwrap_or(given));
        if let Some(upload) = from.uploads.get(named) {
            return self.keep(kind, upload);
        }
        let given = given.filter(|given| !given.is_empty()).ok_or_else(none)?;
        if given.starts_with("attach://") {
            return Err(none());
        }
        if given.starts_with("http://") || given.starts_with("https://") {
            return Err(Refusal::bad("failed to get HTTP URL content"));
        }
        let wrong = || Refusal::bad("wrong file identifier/HTTP URL specified");
        let media = self.by_id(given).ok_or_else(wrong)?;
        if media.kind == kind { Ok(media.clone()) } else { Err(Refusal::bad("can't use file of that type")) }
    }

    fn by_id(&self, id: &str) -> Option<&Media> {
        self.0.get(id).or_else(|| self.0.get(id.strip_suffix('s')?))
    }

    pub(super) fn get_file(&self, params: &Params) -> Result<Value, Refusal> {
        let id = params.text("file_id").unwrap_or_default();
        let media = self.by_id(id).ok_or_else(|| Refusal::bad("invalid file_id"))?;
        Ok(json!({
            "file_id": media.id, "file_unique_id": media.unique, "file_size": media.bytes.len(), "file_path": media.path,
        }))
    }

    pub(super) fn download(&self, path: &str) -> Option<Bytes> {
        self.0.values().find(|media| media.path == path).map(|media| media.bytes.clone())
    }
}

/// A grey picture.
pub(super) fn blank_png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let grey = vec![0x80; width as usize * height as usize];
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&grey));
    written.map(|()| bytes).unwrap_or_default()
}
