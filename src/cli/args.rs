//! What can be typed. The texts are the help; the defaults are stated where they are.

mod answers;
mod boot_servers;
mod coredhcp;
mod images;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(super) use answers::AnswerArgs;
use answers::{document_url, http_url, store_url};
pub(super) use boot_servers::BootServerArgs;
pub(super) use coredhcp::{CoreDhcpArgs, GenerationArg, ImportArgs, ImportVerb, RenderVerb};
pub(super) use images::{ImagesArgs, ImagesVerb};

use super::output::{Color, Format};

/// Where help lists the flags that every verb has, apart from the verb's own.
const OUTPUT: &str = "Output";

/// The control and boot plane of an OpenCHAMI cluster, driven by files in git.
#[derive(Debug, Parser)]
#[command(
    name = "ochami-sync",
    version,
    after_help = "\
Examples:
  ochami-sync validate                          check ./inventory, offline
  ochami-sync plan -i inventory                 show what would change
  ochami-sync apply -i inventory                show it, ask, change it
  ochami-sync serve -i inventory --apply        serve, and apply every saved change
  ochami-sync explain OS0201                    what a diagnostic means"
)]
pub(super) struct Args {
    /// Form of what is printed on stdout.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, help_heading = OUTPUT)]
    pub(super) format: Format,
    /// Whether to colour.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, help_heading = OUTPUT)]
    pub(super) color: Color,
    /// Print data and errors only.
    #[arg(short, long, global = true, help_heading = OUTPUT)]
    pub(super) quiet: bool,
    /// Log more; twice for everything.
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = OUTPUT)]
    pub(super) verbose: u8,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Check an inventory. Needs no network, no state and no secrets.
    Validate(ValidateArgs),
    /// Show what applying the inventory would change. Writes nothing.
    Plan(PlanArgs),
    /// Show the plan, ask, and make it so.
    Apply(ApplyArgs),
    /// Run the servers; with an inventory, watch it, too.
    Serve(Box<ServeArgs>),
    /// Print an access token for the API, from the daemon that serves the state directory.
    Token(TokenArgs),
    /// List machines that asked for an address and are in no inventory, each with lines for nodes.yaml, or asked on a
    /// network where they have none.
    Unknown(UnknownArgs),
    /// Explain a diagnostic's code, with a wrong and a right example.
    Explain(ExplainArgs),
    /// Look at the images that nodes boot.
    #[command(subcommand)]
    Images(ImagesVerb),
    /// Read what another program is configured with.
    #[command(subcommand)]
    Import(ImportVerb),
    /// Write a configuration of another program.
    #[command(subcommand)]
    Render(RenderVerb),
    /// Check this machine for what `serve` needs with the same flags. Changes nothing.
    Doctor(Box<ServeArgs>),
}

#[derive(Debug, ClapArgs)]
pub(super) struct ValidateArgs {
    /// The inventory directory: nodes.yaml, cluster.yaml, cloud-init/.
    #[arg(short, long, value_name = "DIR", default_value = "inventory")]
    pub(super) inventory: PathBuf,
    /// Check that the kernels, initrds and root file systems which nodes fetch from `cluster_boot_ip` are in this
    /// directory of images.
    #[arg(long, value_name = "DIR")]
    pub(super) images: Option<PathBuf>,
}

/// Where the files that `$secret` names are.
#[derive(Debug, ClapArgs)]
pub(super) struct SecretsArgs {
    /// Directory of the files that `$secret` names; `secrets/` beside the inventory directory unless given.
    #[arg(long, value_name = "DIR")]
    pub(super) secrets_dir: Option<PathBuf>,
}

/// Where the inventory is.
#[derive(Debug, ClapArgs)]
pub(super) struct InventoryArgs {
    #[command(flatten)]
    pub(super) place: ValidateArgs,
    #[command(flatten)]
    pub(super) secrets: SecretsArgs,
}

/// Where our own state is.
#[derive(Debug, Clone, ClapArgs)]
pub(super) struct StateArgs {
    /// The state directory: database, keys, socket.
    #[arg(long, value_name = "DIR", env = "OCHAMI_SYNC_STATE", default_value = "/var/lib/ochami-sync")]
    pub(super) state: PathBuf,
    /// The database, where it is not `sqlite:` in the state directory.
    #[arg(long, value_name = "URL")]
    pub(super) database: Option<String>,
}

/// Which services to apply to; our own unless one of the addresses is given.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Target: a running OpenCHAMI")]
pub(super) struct TargetArgs {
    /// Gateway of a running OpenCHAMI, e.g. https://demo.openchami.cluster:8443.
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) base_uri: Option<String>,
    /// SMD, where it is not BASE/hsm/v2.
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) smd: Option<String>,
    /// BSS, where it is not BASE/boot/v1.
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) bss: Option<String>,
    /// cloud-init, where it is not BASE/cloud-init; the secure store is taken to be beside it.
    #[arg(long, value_name = "URL", value_parser = store_url)]
    pub(super) cloud_init: Option<String>,
    /// File with the access token; else the variable <CLUSTER>_ACCESS_TOKEN.
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// PEM file of the authority that signed the services' certificate.
    #[arg(long, value_name = "FILE")]
    pub(super) ca_cert: Option<PathBuf>,
}

/// What a plan is made of, for showing it and for applying it.
#[derive(Debug, ClapArgs)]
pub(super) struct PlanningArgs {
    #[command(flatten)]
    pub(super) inventory: InventoryArgs,
    #[command(flatten)]
    pub(super) state: StateArgs,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct PlanArgs {
    /// End with 5 when changes are pending, with 6 when there is only drift.
    #[arg(long)]
    pub(super) exit_code: bool,
    #[command(flatten)]
    pub(super) planning: PlanningArgs,
}

/// What may be exceeded, and how much is shown.
#[derive(Debug, ClapArgs)]
pub(super) struct LimitArgs {
    /// Allow up to N deletions, where the limit is lower.
    #[arg(long, value_name = "N")]
    pub(super) allow_delete: Option<u64>,
    /// Allow up to N replacements, where the limit is lower.
    #[arg(long, value_name = "N")]
    pub(super) allow_replace: Option<u64>,
    /// Which objects that are not ours are taken over: those that equal the inventory, all that it names, or none.
    #[arg(long, value_enum)]
    pub(super) adopt: Option<AdoptArg>,
    /// Go on although a service that held our objects lists none; it was emptied on purpose.
    #[arg(long)]
    pub(super) accept_empty_live: bool,
    /// Give up stored objects that nobody can read any more, as after the loss of `secrets.key`: those that the inventory
    /// does not hold are deleted. What it holds itself is written anew without this.
    #[arg(long)]
    pub(super) give_up_unreadable: bool,
    /// Take the place of a cluster that was renamed: what it owns becomes this inventory's.
    #[arg(long, value_name = "CLUSTER")]
    pub(super) take_over: Option<String>,
    /// Show every node for itself, and all fields of new ones.
    #[arg(long)]
    pub(super) expand: bool,
}

/// As `sync.adopt` in cluster.yaml.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AdoptArg {
    /// Those that equal the inventory.
    Matching,
    /// Those that differ, too; they are changed.
    Always,
    /// None.
    Never,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ApplyArgs {
    /// Do not ask. Limits hold all the same.
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Apply only if the plan still has this identifier.
    #[arg(long, value_name = "PLAN")]
    pub(super) expect: Option<String>,
    #[command(flatten)]
    pub(super) planning: PlanningArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct TokenArgs {
    #[command(flatten)]
    pub(super) state: StateArgs,
    /// How long it is valid, in seconds or as 90s, 30m, 12h; at most 24h.
    #[arg(long, default_value = "1h", value_parser = duration)]
    pub(super) ttl: std::time::Duration,
    /// Whom it names.
    #[arg(long, default_value = "admin")]
    pub(super) subject: String,
}

#[derive(Debug, ClapArgs)]
pub(super) struct UnknownArgs {
    #[command(flatten)]
    pub(super) state: StateArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ExplainArgs {
    /// The code, e.g. OS0201.
    #[arg(required_unless_present = "list")]
    pub(super) code: Option<String>,
    /// List every code.
    #[arg(long)]
    pub(super) list: bool,
}

/// How API requests are authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Auth {
    /// By a bearer token: ours, or one signed by a key of `--jwks-url`.
    Jwt,
    /// Not at all; loopback listeners only, and OCHAMI_SYNC_INSECURE=1 has to be set.
    None,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// For log collectors.
    Json,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ServeArgs {
    /// Watch this inventory directory; without it, what is stored is served.
    #[arg(short, long, value_name = "DIR")]
    pub(super) inventory: Option<PathBuf>,
    #[command(flatten)]
    pub(super) secrets: SecretsArgs,
    /// Apply the inventory at the start and after every saved change, not only show the plan.
    #[arg(long, requires = "inventory")]
    pub(super) apply: bool,
    #[command(flatten)]
    pub(super) state: StateArgs,
    /// The API: SMD, BSS and cloud-init with their writes. http is for loopback; port 0 takes a free one.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8082")]
    pub(super) api: Vec<String>,
    /// What booting nodes may read, over plain HTTP.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8081")]
    pub(super) boot: Vec<SocketAddr>,
    /// Serve DHCP on this interface; several may be given. Needs root, or CAP_NET_RAW and CAP_NET_BIND_SERVICE.
    #[arg(long, value_name = "IFACE", value_parser = interface)]
    pub(super) dhcp: Vec<String>,
    /// Send IPv6 router advertisements there, which offer nothing, so that iPXE does not wait 13 s for one.
    #[arg(long, requires = "dhcp")]
    pub(super) router_advertisements: bool,
    /// Prometheus metrics; none unless given.
    #[arg(long, value_name = "ADDR")]
    pub(super) metrics: Option<SocketAddr>,
    /// How nodes reach the boot listener, http://HOST:PORT; the address at which a node reached it unless given.
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub(super) boot_url: Option<String>,
    /// How API requests are authenticated.
    #[arg(long, value_enum, default_value_t = Auth::Jwt)]
    pub(super) auth: Auth,
    /// Further keys that sign tokens, a JWKS document.
    #[arg(long, value_name = "URL", value_parser = document_url)]
    pub(super) jwks_url: Vec<String>,
    /// Take tokens that those keys sign from this issuer only (`iss`); from any unless given.
    #[arg(long, value_name = "NAME", requires = "jwks_url")]
    pub(super) jwks_issuer: Vec<String>,
    /// Take tokens that those keys sign for this audience only (`aud`); for any unless given.
    #[arg(long, value_name = "NAME", requires = "jwks_url")]
    pub(super) jwks_audience: Vec<String>,
    /// Certificate chain of https listeners, PEM; read again when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,
    /// Key of https listeners, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// Believe X-Forwarded-For from these proxies.
    #[arg(long, value_name = "CIDR")]
    pub(super) trusted_proxy: Vec<ipnet::IpNet>,
    /// Form of log lines on stderr.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(super) log_format: LogFormat,
    /// Read these flags from a YAML file, as `boot-url: http://…`; those on the command line win.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) answers: AnswerArgs,
    #[command(flatten)]
    pub(super) boot_servers: BootServerArgs,
}

/// Checks that a URL leads to a server and to nothing in particular on it. It is handed to firmware, which reports a wrong
/// one on a screen that nobody looks at.
fn base_url(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is not of the form http://HOST:PORT");
    let uri: axum::http::Uri = text.parse().map_err(|_| wrong())?;
    let sound = matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.authority().is_some_and(|authority| !authority.host().is_empty() && !authority.as_str().contains('@'))
        && uri.path() == "/"
        && uri.query().is_none();
    if sound { Ok(text.trim_end_matches('/').to_owned()) } else { Err(wrong()) }
}

/// Reads the name of a network interface, which Linux keeps below 16 bytes.
fn interface(text: &str) -> Result<String, String> {
    let sound = (1..16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
    if sound { Ok(text.to_owned()) } else { Err("the name of an interface has 1 to 15 characters".to_owned()) }
}

/// Reads `90`, `90s`, `30m`, `12h`.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is not a duration, such as 90s, 30m or 12h"))?;
    let seconds = match unit {
        "" | "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        _ => None,
    };
    let seconds = seconds.ok_or_else(|| format!("`{text}` is not a duration, such as 90s, 30m or 12h"))?;
    Ok(std::time::Duration::from_secs(seconds))
}
