//! Conducts a run: connects the driver, the recording, what is shown, and the signals that end it.

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::drive_all::DriveRequest;
use super::record::Recording;
use crate::driver::Message;
use crate::exit::Failure;
use crate::out::Audience;
use crate::progress::{Progress, REDRAW_EVERY};
use crate::signals::StopSignals;

/// Messages that may wait to be recorded; the driver waits where there are more.
const QUEUE: usize = 256;
/// How long the driver may take to end its processes once it was asked to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// A deadline that is not set yet.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Drives a request with a driver and records what it reports. The recording that comes back says how far the run came.
pub async fn conduct<F>(
    request: DriveRequest,
    mut recording: Recording,
    driver: impl FnOnce(DriveRequest, mpsc::Sender<Message>, CancellationToken) -> F,
) -> Result<Recording, Failure>
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let mut signals = StopSignals::listen()?;
    let mut progress = Progress::new(Audience::of_stderr(), request.plans.len());
    let (tell, mut told) = mpsc::channel(QUEUE);
    let stop = CancellationToken::new();
    let mut driving = tokio::spawn(driver(request, tell, stop.clone()));
    let mut redraw = tokio::time::interval(REDRAW_EVERY);
    let mut stopped_by = None;
    let mut broken = None;
    let mut driver_is_done = false;
    let deadline = tokio::time::sleep(FAR);
    tokio::pin!(deadline);
    loop {
        tokio::select! {
            // The channel closes when the driver is done with it.
            message = told.recv() => match message {
                // Once something could not be recorded, nothing is: but servers are still to be ended in good order.
                Some(_) if broken.is_some() => {}
                Some(message) => if let Err(failure) = recording.take(message, &mut progress) {
                    broken = Some(failure);
                    stop.cancel();
                    deadline.as_mut().reset(Instant::now() + STOP_WITHIN);
                },
                None => {
                    driver_is_done = true;
                    break;
                }
            },
            signal = signals.next() => {
                // A second signal means now.
                if stopped_by.replace(signal).is_some() { break }
                progress.line(&format!("{signal}: stopping the servers and keeping what was recorded"));
                stop.cancel();
                deadline.as_mut().reset(Instant::now() + STOP_WITHIN);
            }
            () = &mut deadline, if stop.is_cancelled() => break,
            _ = redraw.tick() => progress.redraw(),
        }
    }
    progress.clear();
    if let Some(failure) = broken {
        return Err(failure);
    }
    if let Some(signal) = stopped_by {
        if driver_is_done {
            // It closes the channel a moment before it has cleared its directory away.
            let _ = tokio::time::timeout_at(deadline.deadline(), &mut driving).await;
        }
        driving.abort();
        recording.interrupted(signal);
        return Ok(recording);
    }
    match (&mut driving).await {
        Ok(Ok(())) => recording.complete(),
        Ok(Err(failure)) => recording.failed(failure),
        Err(error) => recording.failed(Failure::fault(format!("the driver ended in a fault of its own: {error}"))),
    }
    Ok(recording)
}
