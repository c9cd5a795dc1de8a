//! A real Chromium with its driver.

use crate::http::post;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use jkool_collector::Collector;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// No wait is longer than this.
const DEADLINE: Duration = Duration::from_secs(90);

/// A browser that looks at a collector of its own.
pub struct Browser {
    pub client: Client,
    address: SocketAddr,
    collector: Option<Collector>,
    driver: SocketAddr,
    session: String,
    _process: Child,
}

fn collector(listen: &str) -> Collector {
    Collector::builder().listen(listen).start().unwrap()
}

impl Browser {
    pub async fn start() -> Self {
        let collector = collector("127.0.0.1:0");
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver is installed");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = timeout(DEADLINE, async {
            loop {
                let line = lines.next_line().await.unwrap().expect("the driver says its port");
                if let Some((_, port)) = line.split_once("successfully on port ") {
                    return port.trim_end_matches('.').parse().unwrap();
                }
            }
        });
        let driver = SocketAddr::from(([127, 0, 0, 1], port.await.unwrap()));
        let capabilities = json!({
            "goog:chromeOptions": {"args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--window-size=1280,900",
            ]},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "unhandledPromptBehavior": "ignore",
        });
        let Value::Object(capabilities) = capabilities else { unreachable!() };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&format!("http://{driver}")).await.unwrap();
        let session = client.session_id().await.unwrap().unwrap();
        Self { client, address: collector.address(), collector: Some(collector), driver, session, _process: process }
    }

    pub fn stop_collector(&mut self) {
        self.collector = None;
    }

    /// Another one at the same address.
    pub fn start_collector(&mut self) {
        self.collector = Some(collector(&self.address.to_string()));
    }

    /// Sends entities to the collector, one a line.
    pub fn send(&self, lines: &str) {
        let (status, body) = post(self.address, "/event", lines);
        assert!((200..300).contains(&status), "{status} {body}");
    }

    pub async fn open(&self, path: &str) {
        self.client.goto(&format!("http://{}{path}", self.address)).await.unwrap();
    }

    /// What a script says.
    pub async fn ask(&self, script: &str) -> Value {
        self.client.execute(&format!("return {script}"), Vec::new()).await.unwrap()
    }

    pub async fn text(&self, selector: &str) -> String {
        let text = self.ask(&format!("document.querySelector({selector:?})?.textContent ?? ''")).await;
        text.as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub async fn count(&self, selector: &str) -> u64 {
        self.ask(&format!("document.querySelectorAll({selector:?}).length")).await.as_u64().unwrap()
    }

    /// Waits until `script` says true.
    pub async fn until(&self, script: &str) {
        let met = timeout(DEADLINE, async {
            while self.ask(script).await != Value::Bool(true) {
                sleep(Duration::from_millis(20)).await;
            }
        });
        if met.await.is_err() {
            let state =
                self.ask("[location.href, document.readyState, window.here, document.activeElement.outerHTML]").await;
            panic!("it never came to that: {script}\n{state}");
        }
    }

    /// Clicks, and waits for the page that it leads to.
    pub async fn follow(&self, selector: &str) {
        self.ask("(window.here = true)").await;
        self.click(selector).await;
        self.arrive().await;
    }

    /// Waits until another page is there, `window.here` being set on the last.
    pub async fn arrive(&self) {
        self.until("!window.here && document.readyState === 'complete'").await;
    }

    pub async fn click(&self, selector: &str) {
        self.client.find(Locator::Css(selector)).await.unwrap().click().await.unwrap();
    }

    /// Path and query of the page.
    pub async fn path(&self) -> String {
        self.ask("location.pathname + location.search").await.as_str().unwrap().to_owned()
    }

    /// Types where one would after a click on `selector`; afterwards [`arrive`](Self::arrive) is for what it leads to.
    pub async fn press_in(&self, selector: &str, keys: &str) {
        self.ask("(window.here = true)").await;
        self.client.find(Locator::Css(selector)).await.unwrap().send_keys(keys).await.unwrap();
    }

    pub async fn press(&self, keys: &str) {
        self.client.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// Moves the mouse over what `selector` finds.
    pub async fn point(&self, selector: &str) {
        let place = format!(
            "(() => {{ const at = document.querySelector({selector:?}).getBoundingClientRect(); return [at.x + 5, at.y + 5]; }})()"
        );
        let place = self.ask(&place).await;
        self.devtools("Input.dispatchMouseEvent", json!({"type": "mouseMoved", "x": place[0], "y": place[1]}));
    }

    /// A command of the browser's own protocol.
    pub fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.drive("goog/cdp/execute", json!({"cmd": command, "params": parameters}))
    }

    /// How long the page's main thread was at work since `Performance.enable`, in seconds.
    pub fn busy(&self) -> f64 {
        self.metric("TaskDuration")
    }

    /// A figure that the browser counts since `Performance.enable`.
    pub fn metric(&self, name: &str) -> f64 {
        let metrics = self.devtools("Performance.getMetrics", json!({}));
        let metrics = metrics["metrics"].as_array().unwrap();
        metrics.iter().find(|metric| metric["name"] == name).unwrap()["value"].as_f64().unwrap()
    }

    pub fn theme(&self, theme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": theme}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    pub fn size(&self, width: u32, height: u64) {
        let parameters = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", parameters);
    }

    /// All of the page, into the folder of the variable SCREENSHOTS if there is one.
    pub async fn screenshot(&self, name: &str, width: u32) {
        if let Some(folder) = std::env::var_os("SCREENSHOTS") {
            let height = self.ask("document.documentElement.scrollHeight").await.as_u64().unwrap();
            self.size(width, height.clamp(900, 2_000));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(Path::new(&folder).join(name), self.client.screenshot().await.unwrap()).unwrap();
            self.size(width, 900);
        }
    }

    /// Ends it, after making sure that nothing went wrong behind the page, and that it asked nobody but the collector.
    pub async fn finish(self) {
        let complaints = self.log("browser");
        // Pages that are not there are told of too, which is no fault of a page.
        let faults: Vec<_> = complaints
            .iter()
            .filter(|entry| !entry["message"].as_str().unwrap().contains("the server responded"))
            .collect();
        assert!(faults.is_empty(), "{faults:?}");
        let url = format!("http://{}/", self.address);
        for entry in self.log("performance") {
            let message: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            if message["message"]["method"] == "Network.requestWillBeSent" {
                let asked = message["message"]["params"]["request"]["url"].as_str().unwrap();
                assert!(asked.starts_with(&url) || asked.starts_with("data:") || asked == "about:blank", "{asked}");
            }
        }
        self.close().await;
    }

    /// Ends it: without its driver it would stay.
    pub async fn close(self) {
        self.client.clone().close().await.unwrap();
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        self.drive("se/log", json!({"type": kind})).as_array().unwrap().clone()
    }

    fn drive(&self, command: &str, body: Value) -> Value {
        let path = format!("/session/{}/{command}", self.session);
        let (status, answer) = post(self.driver, &path, &body.to_string());
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str::<Value>(&answer).unwrap()["value"].take()
    }
}
