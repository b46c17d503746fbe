//! The compressions of a server's messages, both ways, with a limit on the inflated size.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::write::GzEncoder;
use spacetimedb_client_api_messages::websocket::common::{
    SERVER_MSG_COMPRESSION_TAG_BROTLI, SERVER_MSG_COMPRESSION_TAG_GZIP, SERVER_MSG_COMPRESSION_TAG_NONE,
};

use super::protocol::WireError;
use crate::bounds::MESSAGE_MAX_BYTES;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compressed {
    None,
    Brotli,
    Gzip,
}

impl Compressed {
    pub fn of(tag: u8) -> Option<Compressed> {
        match tag {
            SERVER_MSG_COMPRESSION_TAG_NONE => Some(Compressed::None),
            SERVER_MSG_COMPRESSION_TAG_BROTLI => Some(Compressed::Brotli),
            SERVER_MSG_COMPRESSION_TAG_GZIP => Some(Compressed::Gzip),
            _ => None,
        }
    }

    pub fn tag(self) -> u8 {
        match self {
            Compressed::None => SERVER_MSG_COMPRESSION_TAG_NONE,
            Compressed::Brotli => SERVER_MSG_COMPRESSION_TAG_BROTLI,
            Compressed::Gzip => SERVER_MSG_COMPRESSION_TAG_GZIP,
        }
    }

    pub fn deflate(self, bytes: &[u8]) -> Result<Bytes, WireError> {
        let failed = |error: std::io::Error| WireError::Encode(error.to_string());
        match self {
            Compressed::None => Ok(Bytes::copy_from_slice(bytes)),
            Compressed::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(bytes).map_err(failed)?;
                Ok(encoder.finish().map_err(failed)?.into())
            }
            Compressed::Brotli => {
                // The quality and the window that the server uses.
                let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 1, 22);
                encoder.write_all(bytes).map_err(failed)?;
                Ok(encoder.into_inner().into())
            }
        }
    }
}

/// How many bytes may still be inflated of one message.
#[derive(Debug)]
pub struct Budget(u64);

impl Default for Budget {
    fn default() -> Budget {
        Budget(MESSAGE_MAX_BYTES as u64)
    }
}

impl Budget {
    pub fn inflate(&mut self, how: Compressed, bytes: &[u8]) -> Result<Vec<u8>, WireError> {
        match how {
            Compressed::None => Ok(bytes.to_vec()),
            Compressed::Gzip => self.read("gzip", flate2::read::GzDecoder::new(bytes)),
            Compressed::Brotli => self.read("brotli", brotli::Decompressor::new(bytes, 4096)),
        }
    }

    fn read(&mut self, kind: &'static str, reader: impl Read) -> Result<Vec<u8>, WireError> {
        let mut inflated = Vec::new();
        let failed = |why: String| WireError::Inflate { kind, why };
        reader.take(self.0.saturating_add(1)).read_to_end(&mut inflated).map_err(|error| failed(error.to_string()))?;
        match self.0.checked_sub(inflated.len() as u64) {
            Some(left) => {
                self.0 = left;
                Ok(inflated)
            }
            None => Err(failed(format!("what comes of one message is over our limit of {MESSAGE_MAX_BYTES} bytes"))),
        }
    }
}

#[cfg(test)]
mod tests;
