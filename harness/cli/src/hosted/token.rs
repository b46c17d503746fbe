//! The token of an environment: what its claims say, and whether the server takes it.

use cutover_core::stage::server::{Answer, ClaimsSeen, TokenSeen, Trouble};
use cutover_live::hosted::Line;
use cutover_live::lane::spacetime::admin::AdminError;
use cutover_live::lane::spacetime::operate::{self, Claims};

use super::environment::{HostedEnvironment, Variable};
use super::{ANSWER, trouble};

/// Looks at the token. `now_s` is the server's clock, in seconds since 1970.
pub async fn look(line: &Line, environment: &HostedEnvironment, least_life_s: u64, now_s: u64) -> TokenSeen {
    let of = |variable| environment.get(variable).map(str::to_owned);
    let mut seen = TokenSeen {
        expected_issuer: of(Variable::TokenIssuer),
        expected_audience: of(Variable::TokenAudience),
        least_life_s,
        now_s,
        ..TokenSeen::default()
    };
    let Some(token) = &environment.token else { return seen };
    let claims = Claims::of(token).map(|claims| {
        let identity = claims.identity();
        ClaimsSeen { identity, issuer: claims.issuer, audience: claims.audience, expires_s: claims.expires }
    });
    if let Ok(ClaimsSeen { identity: Some(identity), .. }) = &claims {
        let taken = match line.http(Some(token), ANSWER) {
            Err(error) => Err(Trouble::new(error.to_string(), false)),
            Ok(mut http) => operate::verify(&mut http, identity).await.map_err(|error| match error {
                AdminError::Refused { status: 404 | 405 | 501, .. } => {
                    Trouble::new(format!("the server has no call that verifies a token: {error}"), true)
                }
                error => trouble(&error),
            }),
        };
        seen.taken = Some(taken.map(|()| true).into());
    }
    seen.claims = Some(claims.map_err(|why| Trouble::new(why, false)).into());
    seen
}

/// Whether the server takes it.
pub fn is_taken(token: &TokenSeen) -> bool {
    matches!(token.taken, Some(Answer::Seen(true)))
}
