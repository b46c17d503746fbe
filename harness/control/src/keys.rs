//! The keys of one issuer. Both of a rotation exist from the start: a server that caches keys knows the next one before
//! it signs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cutover_core::text::Secret;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters, EllipticCurveKeyType, Jwk,
    JwkSet, KeyAlgorithm, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, EncodingKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde::{Deserialize, Serialize};

/// The key that a token is signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Key {
    First,
    Next,
    /// One that no lane knows.
    Foreign,
}

/// A key that signs, and its name.
pub(crate) struct Signer {
    pub(crate) id: &'static str,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: EncodingKey,
    published: Published,
}

/// What verifies the signatures of a key.
enum Published {
    /// The shared secret of an HS256 key, as text.
    Secret(String),
    /// The public point of an ES256 key.
    Point(Vec<u8>),
}

pub(crate) struct Keys([Signer; 3]);

#[derive(Debug, thiserror::Error)]
#[error("cannot make a key: the system gives no random numbers")]
pub struct NoKeys;

const IDS: [&str; 3] = ["first", "next", "foreign"];

impl Keys {
    /// Shared secrets, of the legacy lane: those of a server, the one in force first, or new ones. A server with one
    /// secret has it before and after a rotation.
    pub(crate) fn hs256(given: &[Secret]) -> Result<Keys, NoKeys> {
        let (first, next) = (given.get(1).or(given.first()), given.first());
        let mut signers = Vec::new();
        for (id, given) in IDS.into_iter().zip([first, next, None]) {
            let secret = match given {
                Some(secret) => secret.reveal().to_owned(),
                None => random_word()?,
            };
            let key = EncodingKey::from_secret(secret.as_bytes());
            signers.push(Signer { id, algorithm: Algorithm::HS256, key, published: Published::Secret(secret) });
        }
        signers.try_into().map(Keys).map_err(|_| NoKeys)
    }

    /// Key pairs, of an OpenID issuer.
    pub(crate) fn es256() -> Result<Keys, NoKeys> {
        let random = SystemRandom::new();
        let mut signers = Vec::new();
        for id in IDS {
            let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(|_| NoKeys)?;
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random);
            let point = pair.map_err(|_| NoKeys)?.public_key().as_ref().to_vec();
            let key = EncodingKey::from_ec_der(made.as_ref());
            signers.push(Signer { id, algorithm: Algorithm::ES256, key, published: Published::Point(point) });
        }
        signers.try_into().map(Keys).map_err(|_| NoKeys)
    }

    pub(crate) fn of(&self, key: Key) -> &Signer {
        match key {
            Key::First => &self.0[0],
            Key::Next => &self.0[1],
            Key::Foreign => &self.0[2],
        }
    }

    /// The secrets that a lane must accept, the next one first.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let secret = |key| match &self.of(key).published {
            Published::Secret(secret) => Some(secret.as_str()),
            Published::Point(_) => None,
        };
        [Key::Next, Key::First].into_iter().filter_map(secret).collect()
    }

    /// The public keys. The foreign one is not among them.
    pub(crate) fn jwks(&self) -> JwkSet {
        let keys = [Key::First, Key::Next].into_iter().filter_map(|key| jwk(self.of(key))).collect();
        JwkSet { keys }
    }
}

/// An uncompressed point is one byte, then the coordinates of 32 bytes each.
fn jwk(signer: &Signer) -> Option<Jwk> {
    let Published::Point(point) = &signer.published else { return None };
    let (x, y) = (point.get(1..33)?, point.get(33..65)?);
    Some(Jwk {
        common: CommonParameters {
            public_key_use: Some(PublicKeyUse::Signature),
            key_algorithm: Some(KeyAlgorithm::ES256),
            key_id: Some(signer.id.to_owned()),
            ..CommonParameters::default()
        },
        algorithm: AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
            key_type: EllipticCurveKeyType::EC,
            curve: EllipticCurve::P256,
            x: URL_SAFE_NO_PAD.encode(x),
            y: URL_SAFE_NO_PAD.encode(y),
        }),
    })
}

/// 128 random bits as text.
pub(crate) fn random_word() -> Result<String, NoKeys> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoKeys)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
