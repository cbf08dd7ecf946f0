//! Other teams on the same server, and keys of all kinds.

use trunkline_domain::{
    ApiKeyId, CallId, Capability, CompanyId, ContactId, DealId, DeliveryId, EndpointId, ImportId,
    InvitationId, MessageId, Millis, NumberId, PhoneNumber, Plan, PropertyType, QueueId, Role, ScopeSet,
    TemplateId, UserId,
};
use trunkline_store::{StoreError, TeamKey, Tx, params};
use trunkline_switchboard::accounts::{self, AddNumber, Address, CreateTeam};
use trunkline_switchboard::calls::{self, Ring, Step};
use trunkline_switchboard::companies::{self, CreateCompany};
use trunkline_switchboard::deals::{self, CreateDeal};
use trunkline_switchboard::dialer::{self, Target};
use trunkline_switchboard::messages::{self, Receive};
use trunkline_switchboard::people::{self, CreateContact};
use trunkline_switchboard::people_file::Parsed;
use trunkline_switchboard::{Actor, Error, Work, people_import, properties, tags};
use trunkline_testkit::app::TestApp;
use trunkline_testkit::db::number;

use crate::operations::partner_account;
use crate::support::{Said, authorization, failed_webhook, invite, say, template};

/// A second team on the server of a test, with everything that ids can point at.
pub struct Neighbour {
    pub team: TeamKey,
    pub user: UserId,
    pub line: PhoneNumber,
    pub contact_number: PhoneNumber,
    pub contact: ContactId,
    pub company: CompanyId,
    pub deal: DealId,
    /// An import of nobody.
    pub import: ImportId,
    /// The key of a property that the office's team does not have.
    pub property: String,
    pub call: CallId,
    pub message: MessageId,
    /// The key of a tag on the call, and a sender id, which the office's team does not have.
    pub tag: String,
    /// A webhook endpoint, and what it was told in vain.
    pub webhook: EndpointId,
    pub delivery: DeliveryId,
    /// What Nora wrote.
    pub said: Said,
    /// A summary template.
    pub template: TemplateId,
    /// Nora's dialing queue.
    pub queue: QueueId,
    /// An account that their key made for a customer.
    pub account: UserId,
    /// An invitation that nobody has accepted.
    pub invitation: InvitationId,
    /// An API key with all scopes.
    pub key: String,
    /// Its public id.
    pub api_key: ApiKeyId,
}

/// The address of the neighbours' user.
pub const NORA: &str = "nora@next.example";

/// Whether the outside world of a team is the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    Sandbox,
    Live,
}

/// A team that has nothing yet.
pub async fn team(app: &TestApp, name: &str, world: World) -> TeamKey {
    let team = CreateTeam {
        name: name.to_owned(),
        plan: Plan::Business,
        time_zone: "Europe/Paris".to_owned(),
        country: "FR".to_owned(),
        sandbox: world == World::Sandbox,
    };
    let (ids, now) = (app.board.ids().clone(), app.board.now());
    let made: Result<_, Error> = app
        .board
        .db()
        .write(move |tx| accounts::create_team(tx, ids.as_ref(), now, &team))
        .await;
    let team = made.unwrap().0;
    let unlimited = move |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
        tx.execute(
            "UPDATE teams SET read_per_second = 1000000, write_per_second = 1000000 WHERE team_id = $1",
            params![team],
        )
    };
    app.board.db().write(unlimited).await.unwrap();
    team
}

/// Runs a command of any team.
pub async fn of_team<T, F>(app: &TestApp, team: TeamKey, command: F) -> T
where
    T: Send + 'static,
    F: FnMut(&mut Work<'_, '_>) -> Result<T, Error> + Send + 'static,
{
    let done: Result<T, Error> = app.board.run(team, command).await;
    done.unwrap()
}

/// A line of any team, on the sandbox.
pub fn add_line(work: &mut Work<'_, '_>, number: PhoneNumber, members: &[UserId]) -> Result<i64, Error> {
    add_address(work, Address::Number(number), members)
}

/// A number or a sender id of any team, on the sandbox.
pub fn add_address(work: &mut Work<'_, '_>, address: Address, members: &[UserId]) -> Result<i64, Error> {
    let capabilities = match &address {
        Address::Number(_) => vec![Capability::Voice, Capability::Sms],
        Address::SenderId(..) => vec![Capability::Sms],
    };
    let line = AddNumber {
        name: matches!(address, Address::Number(_)).then(|| "Main".to_owned()),
        address,
        capabilities,
        carrier: "sandbox".to_owned(),
        carrier_settings: None,
        members: members.to_vec(),
    };
    let id: NumberId = work.new_id(work.now);
    accounts::add_number(work, id, &line)
}

/// A furnished team whose numbers are nobody's of the office.
pub async fn neighbour(app: &TestApp, world: World) -> Neighbour {
    let team = team(app, "The Neighbours", world).await;
    let (line, contact_number) = (number("+33142685399"), number("+33698765432"));
    let tag = "neighbourly".to_owned();
    let on_call = tag.clone();
    let furnish = move |work: &mut Work<'_, '_>| {
        let user = accounts::create_user(work, "Nora Next", NORA, Role::Admin)?;
        add_line(work, line, &[user])?;
        add_address(work, Address::SenderId(on_call.clone(), "FR".to_owned()), &[])?;
        let contact = CreateContact {
            first_name: Some("Noel".to_owned()),
            numbers: vec![contact_number.to_string()],
            ..CreateContact::default()
        };
        let contact = people::create_contact(work, &contact)?;
        let company = CreateCompany {
            name: "Next Door".to_owned(),
            ..CreateCompany::default()
        };
        let company = companies::create(work, &company)?.id;
        let deal = CreateDeal {
            name: "Fence".to_owned(),
            company: Some(company),
            ..CreateDeal::default()
        };
        let deal = deals::create(work, &deal)?;
        properties::define(work, "fence_height", "Height of the fence", PropertyType::Number)?;
        let ring = Ring {
            direction: trunkline_domain::Direction::Inbound,
            line,
            contact: contact_number,
            user: None,
            blocked: false,
            at: work.now.plus(-Millis::HOUR),
        };
        let over = trunkline_domain::call::EndCause::NoAnswer;
        let steps = [Step::End(over, None, work.now), Step::Complete(work.now)];
        let call = calls::record(work, &ring, &steps)?;
        tags::add(work, call, std::slice::from_ref(&on_call), &Actor::System)?;
        let text = Receive {
            line,
            from: contact_number,
            content: "A secret of the neighbours".to_owned(),
            media: Vec::new(),
            carrier: "sandbox",
            carrier_ref: None,
            at: work.now,
        };
        let message = messages::receive(work, &text)?;
        let by = Actor::User {
            id: user,
            email: NORA.to_owned(),
            name: "Nora Next".to_owned(),
        };
        let said = say(work, (line, contact_number), contact, call, &by)?;
        let template = template(work, "A secret of the neighbours", &by)?;
        let key = accounts::create_key(work, user, "theirs", ScopeSet::ALL, true)?;
        let key = (key.secret, key.id);
        let import = people_import::begin(work, &Parsed::default(), work.now)?.id;
        let queue = dialer::reset(
            work,
            &Target::User(user),
            Some("A secret of the neighbours"),
            user,
        )?
        .id;
        Ok((
            user,
            contact,
            company,
            deal,
            call,
            message,
            (said, template, import, queue),
            invite(work, user)?.id,
            key,
        ))
    };
    let (
        user,
        contact,
        company,
        deal,
        call,
        message,
        (said, template, import, queue),
        invitation,
        (key, api_key),
    ) = of_team(app, team, furnish).await;
    // Once there are events to be told of.
    let vault = app.state.vault.clone();
    let (webhook, delivery) = of_team(app, team, move |work| failed_webhook(work, &vault)).await;
    let theirs = authorization(&key);
    let made = app
        .send_with(
            reqwest::Method::POST,
            "/v2/api/partner/accounts",
            &[("Authorization", &theirs)],
            Some(partner_account("secret-of-the-neighbours").to_string()),
        )
        .await;
    let account = made.data()["id"].as_str().unwrap().parse().unwrap();
    Neighbour {
        team,
        user,
        line,
        contact_number,
        contact,
        company,
        deal,
        import,
        property: "fence_height".to_owned(),
        call,
        message,
        tag,
        webhook,
        delivery,
        said,
        template,
        queue,
        account,
        invitation,
        key,
        api_key,
    }
}

/// An API key of Ada's with its public id.
pub async fn new_key(app: &TestApp, scopes: ScopeSet) -> (ApiKeyId, String) {
    let ada = app.office.ada;
    of_team(app, app.office.team, move |work| {
        let key = accounts::create_key(work, ada, "another", scopes, true)?;
        Ok((key.id, key.secret))
    })
    .await
}

/// An API key of somebody of the office.
pub async fn key_of(app: &TestApp, user: UserId, scopes: ScopeSet) -> String {
    of_team(app, app.office.team, move |work| {
        Ok(accounts::create_key(work, user, "another", scopes, true)?.secret)
    })
    .await
}

/// Revokes a key of the office's.
pub async fn revoke(app: &TestApp, key: ApiKeyId) {
    let revoked = of_team(app, app.office.team, move |work| accounts::revoke_key(work, key)).await;
    assert!(revoked, "the key was valid until now");
    app.state.keys.forget();
}
