//! Teams, users, lines and keys.

use trunkline_domain::{
    Capability, ErrorCode, LineKind, NumberId, PhoneNumber, Plan, Role, Scope, ScopeSet, SeededIds, UserId,
};
use trunkline_store::{TeamKey, audit, crypto, directory, keys, numbers};
use trunkline_switchboard::accounts::{self, AddNumber, Address, CreateTeam, UpdateTeam};
use trunkline_switchboard::{Error, Work};
use trunkline_testkit::db::{Office, START, TestDb, fr, number, us};

use crate::support::{Diary, all_rows, assert_refused, refusal};

fn line(address: Address, members: Vec<UserId>) -> AddNumber {
    let capabilities = vec![Capability::Voice, Capability::Sms, Capability::Mms];
    AddNumber {
        address,
        name: None,
        capabilities,
        carrier: "sandbox".into(),
        carrier_settings: None,
        members,
    }
}

fn add(work: &mut Work<'_, '_>, line: &AddNumber) -> Result<i64, Error> {
    let id: NumberId = work.new_id(work.now);
    accounts::add_number(work, id, line)
}

fn scopes(all: &[Scope]) -> ScopeSet {
    all.iter().copied().collect()
}

async fn second_team(office: &Office) -> TeamKey {
    let made: Result<_, Error> = office
        .board
        .db()
        .write(|tx| {
            let team = CreateTeam {
                name: "Another".into(),
                plan: Plan::Trial,
                time_zone: "Europe/Paris".into(),
                country: "FR".into(),
                sandbox: false,
            };
            accounts::create_team(tx, &SeededIds::new(5), START, &team)
        })
        .await;
    made.unwrap().0
}

async fn every_command_of_accounts(t: TestDb) {
    let office = t.office().await;
    let mut diary = Diary::begin(&office).await;
    second_team(&office).await;
    diary.note(&office, "a second team").await;
    office
        .run(|work| accounts::create_user(work, " Cleo ", "Cleo@FogCity.example", Role::Manager))
        .await
        .unwrap();
    diary.note(&office, "a user").await;
    let sender = line(
        Address::SenderId("FOGCITY".into(), "FR".into()),
        vec![office.ben, office.ada],
    );
    office.run(move |work| add(work, &sender)).await.unwrap();
    diary.note(&office, "a sender id").await;
    let ada = office.ada;
    let both = scopes(&[Scope::SmsSend, Scope::ContactsRead]);
    let key = office
        .run(move |work| accounts::create_key(work, ada, "CI", both, true).map(|key| key.id))
        .await
        .unwrap();
    diary.note(&office, "a key").await;
    office.clock.advance(1_000);
    assert!(
        office
            .run(move |work| accounts::revoke_key(work, key))
            .await
            .unwrap()
    );
    assert!(
        !office
            .run(move |work| accounts::revoke_key(work, key))
            .await
            .unwrap()
    );
    diary.note(&office, "revoke it, twice").await;
    let changes = UpdateTeam {
        plan: Some(Plan::Trial),
        read_per_second: Some(100),
        create_tags: Some(false),
        ..UpdateTeam::default()
    };
    for _ in 0..2 {
        let changes = changes.clone();
        let team = office
            .run(move |work| accounts::update_team(work, &changes))
            .await
            .unwrap();
        assert_eq!((team.read_per_second, team.write_per_second), (100, 5));
    }
    diary.note(&office, "other settings, twice").await;
    insta::assert_snapshot!("every_command_of_accounts", diary.text());
}

async fn a_key_opens_by_its_hash_and_is_kept_nowhere(t: TestDb) {
    let office = t.office().await;
    let (ada, all) = (office.ada, scopes(&[Scope::SmsSend]));
    for (sandbox, prefix) in [(true, "ak_test_"), (false, "ak_live_")] {
        office.clock.advance(1_000);
        let made = office.run(move |work| {
            accounts::create_key(work, ada, "Key", all, sandbox).map(|key| (key.id, key.secret))
        });
        let (id, secret) = made.await.unwrap();
        assert!(
            secret.starts_with(prefix) && secret.len() >= prefix.len() + 40,
            "{secret}"
        );
        let hash = crypto::sha256_hex(secret.as_bytes());
        let owner = office
            .board
            .db()
            .read(move |conn| keys::owner(conn, &hash))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (owner.team, owner.team_id, owner.key_id, owner.user_id),
            (office.team, office.team_id, id, ada)
        );
        assert_eq!((owner.scopes, owner.revoked_at), (all, None));
        let hidden = secret[prefix.len()..secret.len() - 4].to_owned();
        let rows = all_rows(&office).await;
        assert!(
            !rows
                .values()
                .flat_map(|row| row.values())
                .any(|value| value.contains(&hidden)),
            "a secret is in the database"
        );
        let now = office.clock.advance(1_000);
        office
            .run(move |work| accounts::revoke_key(work, id))
            .await
            .unwrap();
        let hash = crypto::sha256_hex(secret.as_bytes());
        let owner = office
            .board
            .db()
            .read(move |conn| keys::owner(conn, &hash))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(owner.revoked_at, Some(now));
    }
    let team = office.team;
    let log = office
        .board
        .db()
        .read(move |conn| audit::list(conn, team, 4))
        .await
        .unwrap();
    let actions: Vec<_> = log.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(
        actions,
        ["key.revoked", "key.created", "key.revoked", "key.created"],
        "newest first"
    );
}

async fn a_number_belongs_to_one_team(t: TestDb) {
    let office = t.office().await;
    let other = second_team(&office).await;
    let taken = line(Address::Number(us()), vec![]);
    let same = taken.clone();
    assert_refused(
        &office,
        ErrorCode::NumberAlreadyAssigned,
        Some("number"),
        move |work| add(work, &same),
    )
    .await;
    let before = all_rows(&office).await;
    let refused: Result<i64, Error> = office.board.run(other, move |work| add(work, &taken)).await;
    assert_eq!(refusal(refused).code, ErrorCode::NumberAlreadyAssigned);
    assert_eq!(all_rows(&office).await, before);
    for (phone, team) in [
        (us(), Some(office.team)),
        (fr(), Some(office.team)),
        (number("+14155550199"), None),
    ] {
        let found = office
            .board
            .db()
            .read(move |conn| directory::find(conn, &directory::Entry::Number(phone)))
            .await;
        assert_eq!(found.unwrap(), team);
    }
    // Several teams reach for a free one at once.
    let free: PhoneNumber = number("+14155550198");
    let running: Vec<_> = (0..10usize)
        .map(|n| {
            let (board, team) = (office.board.clone(), [office.team, other][n % 2]);
            tokio::spawn(async move {
                let free = line(Address::Number(free), vec![]);
                board.run::<_, Error, _>(team, move |work| add(work, &free)).await
            })
        })
        .collect();
    let mut got = 0;
    for add in running {
        match add.await.unwrap() {
            Ok(_) => got += 1,
            Err(error) => assert_eq!(refusal::<()>(Err(error)).code, ErrorCode::NumberAlreadyAssigned),
        }
    }
    assert_eq!(got, 1);
}

async fn members_and_lines_come_in_their_order(t: TestDb) {
    let office = t.office().await;
    let team = office.team;
    let lines = office
        .board
        .db()
        .read(move |conn| numbers::list(conn, team))
        .await
        .unwrap();
    let lines: Vec<_> = lines
        .iter()
        .map(|line| (line.line, line.kind, line.number, line.country.as_deref()))
        .collect();
    assert_eq!(
        lines,
        [
            (office.us_line, LineKind::Number, Some(us()), Some("US")),
            (office.fr_line, LineKind::Number, Some(fr()), Some("FR"))
        ]
    );
    let members = office
        .board
        .db()
        .read(move |conn| numbers::members(conn, team))
        .await
        .unwrap();
    let members: Vec<_> = members
        .iter()
        .map(|member| (member.line, member.user_id))
        .collect();
    assert_eq!(
        members,
        [
            (office.us_line, office.ada),
            (office.us_line, office.ben),
            (office.fr_line, office.ben)
        ]
    );
}

async fn faulty_accounts_are_refused(t: TestDb) {
    let office = t.office().await;
    let stranger = UserId::new(&SeededIds::new(66), START);
    let invalid = ErrorCode::InvalidParameter;
    for (name, email, param) in [
        ("", "x@y.example", "name"),
        ("  ", "x@y.example", "name"),
        ("X", "", "email"),
        ("X", "nobody", "email"),
        ("X", "ADA@fogcity.example ", "email"),
    ] {
        assert_refused(&office, invalid, Some(param), move |work| {
            accounts::create_user(work, name, email, Role::Member)
        })
        .await;
    }
    let long = "x".repeat(201);
    assert_refused(&office, invalid, Some("name"), move |work| {
        accounts::create_user(work, &long, "x@y.example", Role::Member)
    })
    .await;
    for sender in ["ab", "123456", "waytoolongsender", "no good", "é-mail"] {
        let sender = line(Address::SenderId(sender.into(), "FR".into()), vec![]);
        assert_refused(
            &office,
            ErrorCode::InvalidSenderId,
            Some("sender_id"),
            move |work| add(work, &sender),
        )
        .await;
    }
    let foreign = line(
        Address::Number(number("+14155550199")),
        vec![office.ada, stranger],
    );
    assert_refused(
        &office,
        ErrorCode::MemberNotFound,
        Some("user_ids"),
        move |work| add(work, &foreign),
    )
    .await;
    let (ada, one) = (office.ada, scopes(&[Scope::SmsSend]));
    let key = |work: &mut Work<'_, '_>, user, name: &str, scopes| {
        accounts::create_key(work, user, name, scopes, true).map(drop)
    };
    assert_refused(&office, invalid, Some("name"), move |work| {
        key(work, ada, " ", one)
    })
    .await;
    assert_refused(&office, invalid, Some("scopes"), move |work| {
        key(work, ada, "X", scopes(&[]))
    })
    .await;
    assert_refused(&office, ErrorCode::MemberNotFound, Some("user_id"), move |work| {
        key(work, stranger, "X", one)
    })
    .await;
    let nobody = office.board.run::<(), Error, _>(TeamKey(999), |_| Ok(())).await;
    assert_eq!(refusal(nobody).code, ErrorCode::TeamNotFound);

    let good = CreateTeam {
        name: "T".into(),
        plan: Plan::Trial,
        time_zone: "Europe/Paris".into(),
        country: "FR".into(),
        sandbox: false,
    };
    for (team, code, param) in [
        (
            CreateTeam {
                time_zone: "Middle/Earth".into(),
                ..good.clone()
            },
            ErrorCode::UnknownTimeZone,
            "time_zone",
        ),
        (
            CreateTeam {
                country: "France".into(),
                ..good.clone()
            },
            invalid,
            "country",
        ),
        (
            CreateTeam {
                country: "fr".into(),
                ..good.clone()
            },
            invalid,
            "country",
        ),
        (
            CreateTeam {
                name: " ".into(),
                ..good
            },
            invalid,
            "name",
        ),
    ] {
        let before = all_rows(&office).await;
        let refused: Result<_, Error> = office
            .board
            .db()
            .write(move |tx| accounts::create_team(tx, &SeededIds::new(8), START, &team))
            .await;
        let refused = refusal(refused);
        assert_eq!((refused.code, refused.param), (code, Some(param)));
        assert_eq!(all_rows(&office).await, before);
    }
}

trunkline_testkit::on_both! {
    every_command_of_accounts,
    a_key_opens_by_its_hash_and_is_kept_nowhere,
    a_number_belongs_to_one_team,
    members_and_lines_come_in_their_order,
    faulty_accounts_are_refused,
}
