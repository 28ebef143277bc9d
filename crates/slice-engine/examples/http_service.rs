//! A key-value service over HTTP: the async face beside a web framework, and an orderly end.
//!
//! ```text
//!   PUT    /keys/{key}    body: the value        204
//!   GET    /keys/{key}                           200 with the value, or 404
//!   DELETE /keys/{key}                           204
//! ```
//!
//! `cargo run --example http_service` serves `./data` on 127.0.0.1:8080 until Ctrl-C; with `-- --try` it makes a few
//! requests to itself in a temporary directory, and ends.

use std::future::Future;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use slice::{Durability, ErrorKind, LSMTree};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if std::env::args().any(|arg| arg == "--try") {
        return try_it().await;
    }
    let lsm = open("./data").await?;
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    println!("listening on http://{}, until Ctrl-C", listener.local_addr()?);
    serve(lsm, listener, async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            eprintln!("Ctrl-C cannot be waited for: {error}");
        }
    })
    .await
}

/// Answers `204` mean that the write survives a power failure. Requests that wait at the same time share an fsync.
async fn open(path: impl AsRef<std::path::Path>) -> slice::Result<LSMTree> {
    LSMTree::builder(path).durability(Durability::Fsync).open().await
}

/// Serves until `end`; then lets running requests finish, and closes the store.
async fn serve(
    lsm: LSMTree,
    listener: TcpListener,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Failure> {
    let router =
        Router::new().route("/keys/{key}", get(read).put(write).delete(remove)).with_state(lsm.clone());
    axum::serve(listener, router).with_graceful_shutdown(end).await?;
    lsm.close().await?;
    Ok(())
}

async fn read(State(lsm): State<LSMTree>, Path(key): Path<String>) -> Result<Vec<u8>, Refusal> {
    lsm.get(key.as_bytes()).await?.ok_or(Refusal(StatusCode::NOT_FOUND))
}

async fn write(
    State(lsm): State<LSMTree>,
    Path(key): Path<String>,
    value: Bytes,
) -> Result<StatusCode, Refusal> {
    lsm.put(key.as_bytes(), &value).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(State(lsm): State<LSMTree>, Path(key): Path<String>) -> Result<StatusCode, Refusal> {
    lsm.delete(key.as_bytes()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An error of the store, as the client is to see it.
struct Refusal(StatusCode);

impl From<slice::Error> for Refusal {
    fn from(error: slice::Error) -> Self {
        eprintln!("{error}");
        Self(match error.kind() {
            ErrorKind::InvalidArgument => StatusCode::BAD_REQUEST,
            ErrorKind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
            ErrorKind::Closed | ErrorKind::ReadOnly => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        })
    }
}

impl axum::response::IntoResponse for Refusal {
    fn into_response(self) -> axum::response::Response {
        self.0.into_response()
    }
}

/// A client's way through it, and what is left after the service has ended.
async fn try_it() -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let (end, ended) = oneshot::channel::<()>();
    let service = serve(open(dir.path()).await?, listener, async {
        let _sender_gone = ended.await;
    });
    let client = async {
        for (line, body, expected) in [
            ("GET /keys/color", "", "404"),
            ("PUT /keys/color", "green", "204"),
            ("GET /keys/color", "", "200"),
            ("PUT /keys/shape", "round", "204"),
            ("DELETE /keys/shape", "", "204"),
            ("GET /keys/shape", "", "404"),
        ] {
            let answer = request(&address, line, body).await?;
            let status = answer.split(' ').nth(1).unwrap_or_default();
            println!("{line} {body}: {status}");
            assert_eq!(status, expected, "{line}: {answer}");
        }
        drop(end);
        Ok::<(), Failure>(())
    };
    let (served, tried) = tokio::join!(service, client);
    served.and(tried)?;
    let lsm = open(dir.path()).await?;
    assert_eq!(lsm.get(b"color").await?.as_deref(), Some(&b"green"[..]));
    println!("the service ended, and the store has what was acknowledged");
    Ok(())
}

async fn request(address: &str, line: &str, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!("{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
