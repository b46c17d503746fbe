//! SpacetimeDB's names of its messages.

use spacetimedb_client_api_messages::websocket::{v1, v2};

use super::protocol::{ClientMessage, ServerMessage};

/// The name of a server's message, and that of the reducer that it reports.
pub(super) fn of_server(message: &ServerMessage) -> Vec<String> {
    let (name, reducer) = match message {
        ServerMessage::V1(message) => match message {
            v1::ServerMessage::InitialSubscription(_) => ("InitialSubscription", None),
            v1::ServerMessage::TransactionUpdate(update) => {
                ("TransactionUpdate", Some(update.reducer_call.reducer_name.to_string()))
            }
            v1::ServerMessage::TransactionUpdateLight(_) => ("TransactionUpdateLight", None),
            v1::ServerMessage::IdentityToken(_) => ("IdentityToken", None),
            v1::ServerMessage::OneOffQueryResponse(_) => ("OneOffQueryResponse", None),
            v1::ServerMessage::SubscribeApplied(_) => ("SubscribeApplied", None),
            v1::ServerMessage::UnsubscribeApplied(_) => ("UnsubscribeApplied", None),
            v1::ServerMessage::SubscriptionError(_) => ("SubscriptionError", None),
            v1::ServerMessage::SubscribeMultiApplied(_) => ("SubscribeMultiApplied", None),
            v1::ServerMessage::UnsubscribeMultiApplied(_) => ("UnsubscribeMultiApplied", None),
            v1::ServerMessage::ProcedureResult(_) => ("ProcedureResult", None),
        },
        ServerMessage::V2(message) => match message {
            v2::ServerMessage::InitialConnection(_) => ("InitialConnection", None),
            v2::ServerMessage::SubscribeApplied(_) => ("SubscribeApplied", None),
            v2::ServerMessage::UnsubscribeApplied(_) => ("UnsubscribeApplied", None),
            v2::ServerMessage::SubscriptionError(_) => ("SubscriptionError", None),
            v2::ServerMessage::TransactionUpdate(_) => ("TransactionUpdate", None),
            v2::ServerMessage::OneOffQueryResult(_) => ("OneOffQueryResult", None),
            v2::ServerMessage::ReducerResult(_) => ("ReducerResult", None),
            v2::ServerMessage::ProcedureResult(_) => ("ProcedureResult", None),
        },
    };
    std::iter::once(name.to_owned()).chain(reducer).collect()
}

/// The name of a client's message, and that of the reducer or procedure that it calls.
pub(super) fn of_client(message: &ClientMessage) -> Vec<String> {
    let (name, called) = match message {
        ClientMessage::V1(message) => match message {
            v1::ClientMessage::CallReducer(call) => ("CallReducer", Some(call.reducer.to_string())),
            v1::ClientMessage::Subscribe(_) => ("Subscribe", None),
            v1::ClientMessage::OneOffQuery(_) => ("OneOffQuery", None),
            v1::ClientMessage::SubscribeSingle(_) => ("SubscribeSingle", None),
            v1::ClientMessage::SubscribeMulti(_) => ("SubscribeMulti", None),
            v1::ClientMessage::Unsubscribe(_) => ("Unsubscribe", None),
            v1::ClientMessage::UnsubscribeMulti(_) => ("UnsubscribeMulti", None),
            v1::ClientMessage::CallProcedure(call) => ("CallProcedure", Some(call.procedure.to_string())),
        },
        ClientMessage::V2(message) => match message {
            v2::ClientMessage::Subscribe(_) => ("Subscribe", None),
            v2::ClientMessage::Unsubscribe(_) => ("Unsubscribe", None),
            v2::ClientMessage::OneOffQuery(_) => ("OneOffQuery", None),
            v2::ClientMessage::CallReducer(call) => ("CallReducer", Some(call.reducer.to_string())),
            v2::ClientMessage::CallProcedure(call) => ("CallProcedure", Some(call.procedure.to_string())),
        },
    };
    std::iter::once(name.to_owned()).chain(called).collect()
}
