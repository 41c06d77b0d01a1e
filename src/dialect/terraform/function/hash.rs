//! Functions that hash.
//!
//! RFC 1321 (MD5), FIPS 180-4 (SHA), RFC 9562 (version 5 UUIDs).

use std::fmt::Write as _;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::Function;
use super::encoding::encode;
use crate::dialect::terraform::value::fault;

pub(super) const TABLE: &[(&str, Function)] = &[
    ("base64sha256", |call| {
        let text = call.text(0)?;
        Ok(call.string(encode(&Sha256::digest(text.as_bytes()))))
    }),
    ("base64sha512", |call| {
        let text = call.text(0)?;
        Ok(call.string(encode(&Sha512::digest(text.as_bytes()))))
    }),
    ("filebase64sha256", |call| {
        let text = super::file::text(call)?;
        Ok(call.string(encode(&Sha256::digest(text.as_bytes()))))
    }),
    ("filebase64sha512", |call| {
        let text = super::file::text(call)?;
        Ok(call.string(encode(&Sha512::digest(text.as_bytes()))))
    }),
    ("filemd5", |call| {
        Ok(call.string(hex(&Md5::digest(super::file::text(call)?.as_bytes()))))
    }),
    ("filesha1", |call| {
        Ok(call.string(hex(&Sha1::digest(super::file::text(call)?.as_bytes()))))
    }),
    ("filesha256", |call| {
        Ok(call.string(hex(&Sha256::digest(super::file::text(call)?.as_bytes()))))
    }),
    ("filesha512", |call| {
        Ok(call.string(hex(&Sha512::digest(super::file::text(call)?.as_bytes()))))
    }),
    ("md5", |call| {
        Ok(call.string(hex(&Md5::digest(call.text(0)?.as_bytes()))))
    }),
    ("sha1", |call| {
        Ok(call.string(hex(&Sha1::digest(call.text(0)?.as_bytes()))))
    }),
    ("sha256", |call| {
        Ok(call.string(hex(&Sha256::digest(call.text(0)?.as_bytes()))))
    }),
    ("sha512", |call| {
        Ok(call.string(hex(&Sha512::digest(call.text(0)?.as_bytes()))))
    }),
    ("uuidv5", |call| {
        let (space, name) = (call.text(0)?, call.text(1)?);
        let well_known = match &*space {
            "dns" => "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "url" => "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
            "oid" => "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
            "x500" => "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
            other => other,
        };
        let digits = well_known.replace('-', "");
        let Some(space) = u128::from_str_radix(&digits, 16)
            .ok()
            .filter(|_| digits.len() == 32)
        else {
            return fault("the first argument is a UUID, or `dns`, `url`, `oid` or `x500`");
        };
        let hash = Sha1::new()
            .chain_update(space.to_be_bytes())
            .chain_update(name.as_bytes())
            .finalize();
        let bytes: [u8; 16] = hash
            .get(..16)
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or_default();
        let marked = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | 5 << 76 | 2 << 62;
        let text = format!("{marked:032x}");
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or("");
        Ok(call.string(format!(
            "{}-{}-{}-{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32)
        )))
    }),
];

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
