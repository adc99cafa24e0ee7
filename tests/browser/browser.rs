//! Chromium, as far as a test needs it: a page as it is after a while.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// How long a page has, in milliseconds of its own clock, which stands still while it waits for an answer.
const TIME: &str = "--virtual-time-budget=9000";

pub(crate) struct Browser(PathBuf);

impl Browser {
    /// The one that `FCRETRY_CHROMIUM` names, or the first in `PATH`.
    pub(crate) fn find() -> Option<Self> {
        let named = env::var_os("FCRETRY_CHROMIUM").filter(|named| !named.is_empty());
        let found = named.map(PathBuf::from).or_else(|| {
            let usual = ["chromium", "chromium-browser", "google-chrome"];
            let folders: Vec<_> = env::split_paths(&env::var_os("PATH")?).collect();
            usual
                .iter()
                .flat_map(|name| folders.iter().map(move |at| at.join(name)))
                .find(|at| at.is_file())
        });
        if found.is_none() {
            let is_required = env::var_os("FCRETRY_BROWSER_REQUIRED").is_some();
            assert!(!is_required, "no Chromium in PATH; FCRETRY_CHROMIUM can name one");
            eprintln!("not tested: there is no Chromium; FCRETRY_CHROMIUM can name one");
        }
        found.map(Self)
    }

    /// What became of the page at `url`.
    pub(crate) fn dom(&self, url: &str) -> Dom {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let home = env::temp_dir().join(format!("fcretry-browser-{}-{number}", std::process::id()));
        let dumped = Command::new(&self.0)
            // Root has no sandbox; the page is our own.
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-extensions"])
            .args([TIME, "--timeout=60000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", home.display()))
            .arg(url)
            .stdin(Stdio::null())
            .output();
        remove(&home);
        let dumped = dumped.unwrap_or_else(|error| panic!("{}: {error}", self.0.display()));
        let said = String::from_utf8_lossy(&dumped.stderr);
        assert!(dumped.status.success(), "{}: {said}", dumped.status);
        Dom(String::from_utf8(dumped.stdout).unwrap())
    }
}

fn remove(home: &Path) {
    let _ = fs::remove_dir_all(home);
}

/// A page, written as HTML by the browser, which writes every one alike.
pub(crate) struct Dom(String);

impl Dom {
    pub(crate) fn has(&self, html: &str) -> bool {
        self.0.contains(html)
    }

    pub(crate) fn title(&self) -> String {
        text(between(&self.0, "<title>", "</title>"))
    }

    /// The start tag of the element with this id, and what follows it.
    fn element(&self, id: &str) -> (&str, &str) {
        let at =
            self.0.find(&format!(" id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}: {}", self.0));
        self.0[at..].split_once('>').unwrap()
    }

    /// The value of a `data` element.
    pub(crate) fn value(&self, id: &str) -> String {
        text(between(self.element(id).0, " value=\"", "\""))
    }

    /// The text up to the next tag.
    pub(crate) fn text(&self, id: &str) -> String {
        text(self.element(id).1.split('<').next().unwrap())
    }

    /// The cells of the rows of a table's body.
    pub(crate) fn rows(&self, id: &str) -> Vec<Vec<String>> {
        let body = between(self.element(id).1, "<tbody>", "</tbody>");
        let rows = body.split("<tr>").skip(1);
        rows.map(|row| {
            let cells = row.split("</t").filter_map(|cell| Some(cell.rsplit_once('>')?.1));
            cells
                .take(row.matches("</td>").count() + row.matches("</th>").count())
                .map(text)
                .collect()
        })
        .collect()
    }
}

fn between<'a>(html: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = html.split_once(start).unwrap_or_else(|| panic!("no {start}: {html}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end}: {html}")).0
}

fn text(html: &str) -> String {
    let text = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&nbsp;", "\u{a0}").replace("&amp;", "&")
}
