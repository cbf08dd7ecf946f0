//! Teams, users, numbers and keys.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use trunkline_domain::sms::SenderId;
use trunkline_domain::{Capability, NumberId, PhoneNumber, Plan, Role, Scope, ScopeSet};
use trunkline_messaging::{sandbox, twilio};
use trunkline_store::numbers::{self, NumberRow};
use trunkline_store::{Conn, StoreError, TeamKey, keys, teams, users};
use trunkline_switchboard::accounts::{self, AddNumber, Address, CreateTeam, UpdateTeam};
use trunkline_switchboard::lines::{self, UpdateNumber};
use trunkline_switchboard::{Actor, Error, Switchboard};

use crate::cli::{Keys, Numbers, RoleName, Teams, Twilio, Users};
use crate::commands::lists;
use crate::config::Config;
use crate::{open, output};

pub async fn keys(config: &Config, command: Keys) -> Result<()> {
    let board = open::board(config)?;
    match command {
        Keys::Create {
            name,
            team,
            user,
            scopes,
        } => create_key(&board, &name, team, user, &scopes).await,
        Keys::List(asked) => lists::of_team(&board, &asked, keys::list).await,
        Keys::Revoke { id, team } => {
            let team = open::team(&board, team.as_deref()).await?;
            let key = super::partners::key(&id)?;
            let outcome: Result<bool, Error> = board
                .run(team.key, move |work| accounts::revoke_key(work, key))
                .await;
            if !outcome? {
                bail!("the team has no valid key {key}");
            }
            output::note(format!(
                "{key} is revoked; a running server refuses it within a second"
            ));
            Ok(())
        }
    }
}

async fn create_key(
    board: &Switchboard,
    name: &str,
    team: Option<String>,
    user: Option<String>,
    scopes: &str,
) -> Result<()> {
    let team = open::team(board, team.as_deref()).await?;
    let scopes = if scopes.eq_ignore_ascii_case("all") {
        // Accounts of partners take numbers from the pool of the whole installation.
        ScopeSet::ALL
            .iter()
            .filter(|scope| *scope != Scope::Partner)
            .collect()
    } else {
        scopes.to_uppercase().parse::<ScopeSet>()?
    };
    let user = match user {
        Some(text) => open::user(board, team.key, &text).await?,
        None => {
            let key = team.key;
            let all = board
                .db()
                .read(move |conn| -> Result<_, StoreError> { users::list(conn, key) })
                .await?;
            let admin = all
                .iter()
                .find(|user| user.role == Role::Admin)
                .or_else(|| all.first());
            admin
                .cloned()
                .context("the team has no user yet; make one with `trunkline users create NAME --email …`")?
        }
    };
    let (name, sandbox) = (name.to_owned(), team.sandbox);
    let key: Result<accounts::NewKey, Error> = board
        .run(team.key, move |work| {
            accounts::create_key(work, user.id, &name, scopes, sandbox)
        })
        .await;
    let key = key?;
    output::note(format!(
        "{} of {}, scopes: {}; keep it, it is not shown again:",
        key.id,
        team.name,
        scopes.len()
    ));
    output::line(key.secret)
}

pub async fn teams(config: &Config, command: Teams) -> Result<()> {
    let board = open::board(config)?;
    match command {
        Teams::Create {
            name,
            time_zone,
            country,
            sandbox,
            trial,
        } => {
            let plan = if trial { Plan::Trial } else { Plan::Business };
            let team = CreateTeam {
                name,
                plan,
                time_zone,
                country: country.to_uppercase(),
                sandbox,
            };
            let (ids, now) = (board.ids().clone(), board.now());
            let made: Result<_, Error> = board
                .db()
                .write(move |tx| accounts::create_team(tx, ids.as_ref(), now, &team))
                .await;
            output::line(made?.1.to_string())
        }
        Teams::Update {
            team,
            name,
            time_zone,
            plan,
            read_per_second,
            write_per_second,
            create_tags,
            marketing_hours,
        } => {
            let team = open::team(&board, team.as_deref()).await?;
            let changes = UpdateTeam {
                time_zone,
                name,
                plan: plan.and_then(|name| name.to_uppercase().parse().ok()),
                read_per_second,
                write_per_second,
                create_tags,
                marketing_hours,
            };
            let outcome: Result<_, Error> = board
                .run(team.key, move |work| accounts::update_team(work, &changes))
                .await;
            output::line(outcome?.id.to_string())
        }
        Teams::List(as_json) => {
            let rows = board
                .db()
                .read(|conn| -> Result<_, StoreError> { teams::list(conn) })
                .await?;
            lists::show(&rows, &as_json)
        }
    }
}

pub async fn users(config: &Config, command: Users) -> Result<()> {
    let board = open::board(config)?;
    match command {
        Users::Create {
            name,
            email,
            role,
            team,
        } => {
            let team = open::team(&board, team.as_deref()).await?;
            let role = match role {
                RoleName::Admin => Role::Admin,
                RoleName::Manager => Role::Manager,
                RoleName::Member => Role::Member,
            };
            let id: Result<_, Error> = board
                .run(team.key, move |work| {
                    accounts::create_user(work, &name, &email, role)
                })
                .await;
            output::line(id?.to_string())
        }
        Users::List(asked) => lists::of_team(&board, &asked, users::list).await,
    }
}

pub async fn numbers(config: &Config, command: Numbers) -> Result<()> {
    let board = open::board(config)?;
    match command {
        Numbers::Add {
            number,
            sender_id,
            name,
            carrier,
            twilio,
            capabilities,
            members,
            team,
        } => {
            let team = open::team(&board, team.as_deref()).await?;
            let id = NumberId::new(board.ids().as_ref(), board.now());
            let address = match (number, sender_id) {
                (Some(text), _) => Address::Number(
                    PhoneNumber::parse(&text)
                        .with_context(|| format!("{text:?} is not in E.164 form, such as +14155550100"))?,
                ),
                (None, Some(sender)) => Address::SenderId(sender, team.country.clone()),
                (None, None) => bail!("name a number or a sender id"),
            };
            let carrier_settings = carrier_settings(config, &board, Some(&carrier), twilio, id).await?;
            let mut ids = Vec::new();
            for member in members {
                let id = open::user(&board, team.key, &member).await?.id;
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            let capabilities = capabilities_of(&address, &capabilities)?;
            let played = carrier == sandbox::NAME && !team.sandbox;
            let number = AddNumber {
                address,
                name,
                capabilities,
                carrier,
                carrier_settings,
                members: ids,
            };
            let outcome: Result<i64, Error> = board
                .run(team.key, move |work| accounts::add_number(work, id, &number))
                .await;
            outcome?;
            if played {
                output::note(
                    "note: the outside world of this number is the sandbox, and only keys of a sandbox team can play it; --carrier names another",
                );
            }
            output::line(id.to_string())
        }
        Numbers::Update {
            number,
            a2p,
            status,
            texts_per_second,
            texts_per_day,
            capabilities,
            carrier,
            twilio,
            team,
        } => {
            let team = open::team(&board, team.as_deref()).await?;
            let line = find_line(&board, team.key, number).await?;
            let settings = carrier_settings(config, &board, carrier.as_deref(), twilio, line.id).await?;
            let named = |names: Vec<String>| names.iter().filter_map(|name| name.parse().ok()).collect();
            let changes = UpdateNumber {
                a2p_registered: a2p,
                sender_id_status: status.and_then(|name| name.to_uppercase().parse().ok()),
                texts_per_second,
                texts_per_day,
                capabilities: capabilities.map(named),
                carrier: carrier.map(|carrier| (carrier, settings)),
            };
            let outcome: Result<_, Error> = board
                .run(team.key, move |work| lines::update(work, line.line, &changes))
                .await;
            output::line(outcome?.id.to_string())
        }
        Numbers::Remove { number, team } => {
            let team = open::team(&board, team.as_deref()).await?;
            let line = find_line(&board, team.key, number).await?;
            let gone = line.label();
            let outcome: Result<(), Error> = board
                .run(team.key, move |work| {
                    lines::remove(work, line.line, &Actor::System)
                })
                .await;
            outcome?;
            output::note(format!(
                "{gone} is out of service; what was said and written by it stays"
            ));
            Ok(())
        }
        Numbers::List(asked) => lists::of_team(&board, &asked, numbers::list).await,
    }
}

/// What the carrier needs for the line with this id, sealed for it.
async fn carrier_settings(
    config: &Config,
    board: &Switchboard,
    carrier: Option<&str>,
    given: Twilio,
    id: NumberId,
) -> Result<Option<String>> {
    if carrier != Some(twilio::NAME) {
        if given.twilio_account_sid.is_some() || given.twilio_auth_token_file.is_some() {
            bail!("Twilio's credentials are of use with --carrier twilio only");
        }
        return Ok(None);
    }
    let file = given
        .twilio_auth_token_file
        .context("--twilio-auth-token-file is missing")?;
    let settings = serde_json::to_string(&twilio::Settings {
        account_sid: given
            .twilio_account_sid
            .context("--twilio-account-sid is missing")?,
        auth_token: read_secret(&file)?,
    })?;
    let vault = open::vault(config, board.db()).await?;
    Ok(Some(vault.seal(board.ids().as_ref(), &id.to_string(), &settings)))
}

/// The line in service with this number or sender id.
async fn find_line(board: &Switchboard, team: TeamKey, text: String) -> Result<NumberRow> {
    let asked = text.clone();
    let look = move |conn: &mut Conn<'_>| -> Result<_, StoreError> {
        match (PhoneNumber::parse(&asked), SenderId::parse(&asked)) {
            (Ok(number), _) => numbers::by_number(conn, team, number),
            (_, Ok(sender)) => numbers::by_sender_id(conn, team, sender),
            _ => Ok(None),
        }
    };
    let found = board.db().read(look).await?;
    found.with_context(|| format!("PHONE_NUMBER_NOT_FOUND: the team has no number and no sender id {text:?}"))
}

/// What a line can do: what the command names, else what lines of its kind can do.
fn capabilities_of(address: &Address, named: &[String]) -> Result<Vec<Capability>> {
    let sender = matches!(address, Address::SenderId(..));
    let named: Vec<Capability> = named.iter().filter_map(|name| name.parse().ok()).collect();
    if sender && named.contains(&Capability::Voice) {
        bail!("nobody can call a sender id: leave VOICE out of --capabilities");
    }
    Ok(match (named.is_empty(), sender) {
        (false, _) => named,
        (true, true) => vec![Capability::Sms],
        (true, false) => vec![Capability::Voice, Capability::Sms],
    })
}

/// Reads a secret from a file or stdin, never from an argument: those are seen by everybody on the machine.
fn read_secret(path: &Path) -> Result<String> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin()
            .read_to_string(&mut text)
            .context("stdin cannot be read")?;
    } else {
        text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    }
    let text = text.trim().to_owned();
    if text.is_empty() {
        bail!("{} holds no token", path.display());
    }
    Ok(text)
}
