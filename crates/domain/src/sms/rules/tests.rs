use proptest::prelude::*;

use super::*;
use crate::sms::segments::Encoding;

const LINE: &str = "+14155550100";
const TO: &str = "+12125550123";
const PARIS_LINE: &str = "+33644631234";
const PARIS_TO: &str = "+33612345678";

/// A Tuesday, at noon in Paris and in the morning in New York.
const TUESDAY: &str = "2026-07-07T10:00:00Z";

/// A world in which everything goes, for a test to spoil.
#[derive(Clone)]
struct World {
    fields: Fields<'static>,
    line: Option<Line<'static>>,
    recipient: Recipient,
    plan: Plan,
    zone: TimeZone,
    trial: Quota,
    api: Quota,
    content: ContentRules,
    marketing_hours: bool,
    now: Millis,
}

/// The line's own time zone, which is not the team's.
static UTC: TimeZone = TimeZone::UTC;

const FULL: Quota = Quota {
    used: 10,
    limit: Some(10),
};

impl World {
    fn number() -> Self {
        let line = Line {
            kind: LineFacts::Number {
                capabilities: &[Capability::Voice, Capability::Sms],
                a2p_registered: true,
            },
            country: Some("US"),
            has_carrier: true,
            today: Quota {
                used: 9,
                limit: Some(10),
            },
            zone: &UTC,
        };
        Self {
            fields: Fields {
                from: Some(LINE),
                to: Some(TO),
                message: Some("Your table is ready"),
                ..Fields::default()
            },
            line: Some(line),
            recipient: Recipient::default(),
            plan: Plan::Business,
            zone: TimeZone::get("America/New_York").unwrap(),
            trial: Quota::default(),
            api: Quota::default(),
            content: ContentRules::new(["casino"], ["bit.ly"]).unwrap(),
            marketing_hours: true,
            now: Millis::parse(TUESDAY).unwrap(),
        }
    }

    fn sender_id() -> Self {
        let mut world = Self::number();
        world.fields.from = None;
        world.fields.sender_id = Some("MyCompany");
        world.fields.to = Some(PARIS_TO);
        world.line = world.line.map(|line| Line {
            kind: LineFacts::SenderId {
                status: SenderIdStatus::Active,
            },
            country: Some("FR"),
            ..line
        });
        world
    }

    fn with(mut self, spoil: impl FnOnce(&mut Self)) -> Self {
        spoil(&mut self);
        self
    }

    fn line(&mut self) -> &mut Line<'static> {
        self.line.as_mut().unwrap()
    }

    fn judge(&self) -> Result<Accepted, Refused> {
        let text = Outgoing::read(&self.fields)?;
        check(
            &text,
            &Facts {
                line: self.line,
                recipient: self.recipient,
                team: Team {
                    plan: self.plan,
                    zone: &self.zone,
                    trial: self.trial,
                    api: self.api,
                },
                content: &self.content,
                marketing_hours: self.marketing_hours,
                now: self.now,
            },
        )
    }

    fn refusal(&self) -> (ErrorCode, Option<&'static str>) {
        let refused = self.judge().unwrap_err();
        assert!(refused.message.ends_with('.'), "{refused}");
        assert_eq!(
            refused.retry_after.is_some(),
            refused.code.retryable(),
            "{refused}"
        );
        (refused.code, refused.param)
    }
}

/// A way to be refused, and what it looks like.
type Fault = (ErrorCode, Option<&'static str>, fn(&mut World));

/// From a number, in the order in which the rules are applied.
const FROM_A_NUMBER: [Fault; 17] = {
    use ErrorCode as E;
    [
        (E::InvalidParameter, Some("sender_id"), |w| {
            w.fields.sender_id = Some("MyCompany")
        }),
        (E::InvalidPhoneFormat, Some("from"), |w| {
            w.fields.from = Some("415 555 0100")
        }),
        (E::MissingParameter, Some("to"), |w| w.fields.to = None),
        (E::InvalidParameter, Some("content"), |w| {
            w.fields.content = Some("Again")
        }),
        (E::InvalidLength, Some("message"), |w| {
            w.fields.message = Some(" \n")
        }),
        (E::FromNumberNotFound, Some("from"), |w| w.line = None),
        (E::NumberNotSmsEnabled, Some("from"), |w| {
            w.line().kind = LineFacts::Number {
                capabilities: &[Capability::Voice, Capability::Mms],
                a2p_registered: false,
            };
        }),
        (E::A2pNotEnabled, Some("from"), |w| {
            let LineFacts::Number { capabilities, .. } = w.line().kind else {
                return;
            };
            w.line().kind = LineFacts::Number {
                capabilities,
                a2p_registered: false,
            };
        }),
        (E::ProviderNotSupported, Some("from"), |w| {
            w.line().has_carrier = false
        }),
        (E::InvalidToNumber, Some("to"), |w| {
            w.fields.to = Some("+1212555012")
        }),
        (E::ToNumberCountryMismatch, Some("to"), |w| {
            w.fields.to = Some("+33142685300")
        }),
        (E::MessageNotCompliant, Some("to"), |w| {
            w.recipient.opted_out = true
        }),
        (E::MessageNotCompliant, Some("message"), |w| {
            w.fields.message = Some("Casino!")
        }),
        (E::TrialSmsLimitReached, None, |w| {
            w.plan = Plan::Trial;
            w.trial = FULL;
        }),
        (E::SmsLimitReached, None, |w| w.api = FULL),
        (E::DailySmsLimitReached, Some("from"), |w| {
            if let Some(line) = &mut w.line {
                line.today = FULL;
            }
        }),
        (E::DailySmsLimitReached, Some("from"), |w| {
            if let Some(line) = &mut w.line {
                line.today = Quota {
                    used: 0,
                    limit: Some(0),
                };
            }
        }),
    ]
};

/// From a sender id, likewise.
const FROM_A_SENDER_ID: [Fault; 13] = {
    use ErrorCode as E;
    [
        (E::InvalidSenderId, Some("sender_id"), |w| {
            w.fields.sender_id = Some("My Company")
        }),
        (E::InvalidPhoneFormat, Some("to"), |w| {
            w.fields.to = Some("06 12 34 56 78")
        }),
        (E::MissingParameter, Some("message"), |w| w.fields.message = None),
        (E::SenderIdNotFound, Some("sender_id"), |w| w.line = None),
        (E::SenderIdNotActive, Some("sender_id"), |w| {
            w.line().kind = LineFacts::SenderId {
                status: SenderIdStatus::Pending,
            };
        }),
        (E::ProviderNotSupported, Some("sender_id"), |w| {
            w.line().has_carrier = false
        }),
        (E::InvalidToNumber, Some("to"), |w| {
            w.fields.to = Some("+3361234567")
        }),
        (E::LandlineNumberNotSupported, Some("to"), |w| {
            w.fields.to = Some("+33142685300")
        }),
        (E::MessageNotCompliant, Some("to"), |w| {
            w.recipient.opted_out = true
        }),
        (E::MessageNotCompliant, Some("message"), |w| {
            w.fields.message = Some("https://bit.ly/x")
        }),
        (E::MessageNotCompliant, Some("sender_id"), |w| {
            w.now = Millis::parse("2026-07-07T18:00:00Z").unwrap()
        }),
        (E::SmsLimitReached, None, |w| w.api = FULL),
        (E::DailySmsLimitReached, Some("sender_id"), |w| {
            if let Some(line) = &mut w.line {
                line.today = FULL;
            }
        }),
    ]
};

fn assert_order(world: &World, faults: &[Fault]) {
    assert!(world.judge().is_ok());
    for (place, (code, param, spoil)) in faults.iter().enumerate() {
        let spoilt = world.clone().with(spoil);
        assert_eq!(spoilt.refusal(), (*code, *param), "alone");
        for (later, _, spoil_more) in &faults[place + 1..] {
            // Some spoil the same field, and some need a line to spoil.
            let both =
                |first: &fn(&mut World), second: &fn(&mut World)| world.clone().with(first).with(second);
            let twice = if spoilt.line.is_some() {
                both(spoil_more, spoil)
            } else {
                spoilt.clone()
            };
            assert_eq!(twice.refusal(), (*code, *param), "{code} comes before {later}");
        }
    }
}

#[test]
fn every_code_is_reached_in_the_documented_order() {
    assert_order(&World::number(), &FROM_A_NUMBER);
    assert_order(&World::sender_id(), &FROM_A_SENDER_ID);
}

#[test]
fn all_three_bodies_are_taken() {
    let content = "Hello, €";
    let forms = [
        Fields {
            from: Some(LINE),
            to: Some(TO),
            message: Some(content),
            ..Fields::default()
        },
        Fields {
            allo_number: Some(LINE),
            to: Some(TO),
            content: Some(content),
            ..Fields::default()
        },
    ];
    for fields in forms {
        let text = Outgoing::read(&fields).unwrap();
        assert_eq!(text.sender, Address::Number(PhoneNumber::parse(LINE).unwrap()));
        assert_eq!(text.content, content);
        let accepted = World::number().with(|w| w.fields = fields).judge().unwrap();
        let segments = Segments {
            encoding: Encoding::Gsm7,
            units: 9,
            segments: 1,
        };
        assert_eq!((accepted.to.as_str(), accepted.segments), (TO, segments));
    }
    let text = Outgoing::read(&World::sender_id().fields).unwrap();
    assert_eq!(text.sender, Address::Name(SenderId::parse("mycompany").unwrap()));
    assert!(World::sender_id().judge().is_ok());
}

#[test]
fn faults_name_the_field_that_was_sent() {
    let world = World::number().with(|w| {
        w.fields.allo_number = w.fields.from.take();
        w.fields.content = w.fields.message.take();
    });
    let refusal = |spoil: fn(&mut World)| world.clone().with(spoil).refusal();
    assert_eq!(
        refusal(|w| w.line = None),
        (ErrorCode::FromNumberNotFound, Some("allo_number"))
    );
    assert_eq!(
        refusal(|w| w.fields.content = Some("")),
        (ErrorCode::InvalidLength, Some("content"))
    );
    assert_eq!(
        refusal(|w| w.fields.content = Some("a casino")),
        (ErrorCode::MessageNotCompliant, Some("content"))
    );
    assert_eq!(
        refusal(|w| w.fields.allo_number = None),
        (ErrorCode::MissingParameter, Some("from"))
    );
    assert_eq!(
        refusal(|w| w.fields.from = Some(LINE)),
        (ErrorCode::InvalidParameter, Some("allo_number"))
    );
}

#[test]
fn a_sender_id_is_not_a_number() {
    let word = World::number().with(|w| w.fields.from = Some("MyCompany"));
    let known = word.clone().with(|w| w.line = World::sender_id().line);
    assert_eq!(
        known.refusal(),
        (ErrorCode::SenderIdInboxCannotSendSms, Some("from"))
    );
    let unknown = word.with(|w| w.line = None);
    assert_eq!(unknown.refusal(), (ErrorCode::InvalidPhoneFormat, Some("from")));

    let to = World::number().with(|w| w.fields.to = Some("MyCompany"));
    assert_eq!(to.refusal(), (ErrorCode::InvalidPhoneFormat, Some("to")));
    let to = to.with(|w| w.recipient.is_sender_id = true);
    assert_eq!(to.refusal(), (ErrorCode::SenderIdInboxCannotSendSms, Some("to")));

    let number = World::sender_id().with(|w| w.fields.sender_id = Some(LINE));
    assert_eq!(number.refusal(), (ErrorCode::InvalidSenderId, Some("sender_id")));
    for status in [SenderIdStatus::Rejected, SenderIdStatus::Suspended] {
        let world = World::sender_id().with(|w| w.line().kind = LineFacts::SenderId { status });
        assert_eq!(world.refusal(), (ErrorCode::SenderIdNotActive, Some("sender_id")));
    }
}

#[test]
fn registration_is_asked_for_in_north_america_only() {
    let unregistered = |w: &mut World| {
        w.line().kind = LineFacts::Number {
            capabilities: &[Capability::Sms],
            a2p_registered: false,
        };
    };
    let french = World::number().with(|w| {
        unregistered(w);
        (w.fields.from, w.fields.to, w.line().country) = (Some(PARIS_LINE), Some(PARIS_TO), None);
    });
    assert!(french.judge().is_ok(), "the country is that of the number");
    let canadian = World::number().with(|w| {
        unregistered(w);
        (w.fields.from, w.fields.to, w.line().country) = (Some("+16045552345"), Some("+14165552345"), None);
    });
    assert_eq!(canadian.refusal().0, ErrorCode::A2pNotEnabled);
}

#[test]
fn texts_stay_within_a_country() {
    use ErrorCode::{InvalidToNumber, LandlineNumberNotSupported, ToNumberCountryMismatch};
    for (from, to, code) in [
        (LINE, "+16045552345", Some(ToNumberCountryMismatch)),
        (LINE, "+17872345678", None),
        (LINE, "+80012345678", Some(ToNumberCountryMismatch)),
        (LINE, LINE, Some(InvalidToNumber)),
        (LINE, "+19995550123", Some(InvalidToNumber)),
        (PARIS_LINE, "+33751234567", None),
        (PARIS_LINE, "+262692123456", Some(ToNumberCountryMismatch)),
        (PARIS_LINE, "+33142685300", Some(LandlineNumberNotSupported)),
        ("+447400123456", "+447400123457", None),
        ("+447400123456", "+442079460018", Some(LandlineNumberNotSupported)),
        ("+390236618300", "+393123456789", None),
    ] {
        let world = World::number().with(|w| {
            (w.fields.from, w.fields.to, w.line().country) = (Some(from), Some(to), None);
        });
        let refused = world.judge().err().map(|refused| refused.code);
        assert_eq!(refused, code, "{from} to {to}");
    }
    let abroad = World::sender_id().with(|w| w.fields.to = Some("+32470123456"));
    let message = abroad.judge().unwrap_err().message;
    assert_eq!(
        message,
        "Texts go out within one country: `sender_id` is of FR, `to` of BE."
    );
}

#[test]
fn length_is_counted_in_characters() {
    for (text, fits) in [
        ("x".to_owned(), true),
        ("é".repeat(1_000), true),
        ("😀".repeat(1_000), true),
        ("a".repeat(1_001), false),
        (String::new(), false),
        ("\u{a0}\t ".to_owned(), false),
    ] {
        let fields = Fields {
            message: Some(&text),
            ..World::number().fields
        };
        let read = Outgoing::read(&fields).map_err(|refused| refused.code);
        assert_eq!(read.is_ok(), fits, "{} characters", text.chars().count());
        if !fits {
            assert_eq!(read, Err(ErrorCode::InvalidLength));
        }
    }
}

#[test]
fn marketing_hours_bind_sender_ids_to_france_where_the_team_wants_it() {
    let night = Millis::parse("2026-07-07T21:00:00Z").unwrap();
    let at_night = World::sender_id().with(|w| w.now = night);
    let refused = at_night.judge().unwrap_err();
    assert!(refused.message.contains("2026-07-08T06:00:00.000Z"), "{refused}");
    assert!(
        at_night
            .clone()
            .with(|w| w.marketing_hours = false)
            .judge()
            .is_ok()
    );
    let from_a_number = World::number().with(|w| {
        w.now = night;
        (w.fields.from, w.fields.to, w.line().country) = (Some(PARIS_LINE), Some(PARIS_TO), Some("FR"));
    });
    assert!(from_a_number.judge().is_ok());
    let belgian = at_night.with(|w| {
        w.fields.to = Some("+32470123456");
        w.line().country = Some("BE");
    });
    assert!(belgian.judge().is_ok());
}

#[test]
fn limits_say_how_long_the_day_still_is() {
    for (zone, now, seconds) in [
        ("America/New_York", "2026-07-07T10:00:00Z", 18 * 3_600),
        ("UTC", "2026-07-07T23:59:59.999Z", 1),
        ("UTC", "2026-07-07T00:00:00Z", 86_400),
        ("Europe/Paris", "2026-03-28T23:00:00Z", 23 * 3_600),
        ("Europe/Paris", "2026-10-24T22:00:00Z", 25 * 3_600),
        ("Asia/Kolkata", "2026-07-07T18:29:00.001Z", 60),
        // Midnight falls into the gap of the clock change.
        ("America/Santiago", "2026-09-06T03:00:00Z", 3_600),
    ] {
        let world = World::number().with(|w| {
            w.zone = TimeZone::get(zone).unwrap();
            w.now = Millis::parse(now).unwrap();
            w.api = FULL;
        });
        assert_eq!(
            world.judge().unwrap_err().retry_after,
            Some(seconds),
            "{now} in {zone}"
        );
    }
    // That of a line is over when the line's day is.
    let world = World::number().with(|w| {
        w.now = Millis::parse("2026-07-07T10:00:00Z").unwrap();
        w.line().today = FULL;
    });
    assert_eq!(world.judge().unwrap_err().retry_after, Some(14 * 3_600));
}

#[test]
fn trial_limits_bind_trials_and_the_last_text_goes_out() {
    assert!(World::number().with(|w| w.trial = FULL).judge().is_ok());
    let last = Quota {
        used: 9,
        limit: Some(10),
    };
    let world = World::number().with(|w| {
        w.plan = Plan::Trial;
        (w.trial, w.api) = (last, last);
    });
    assert!(world.judge().is_ok());
}

proptest! {
    #[test]
    fn any_body_has_an_answer(
        values in prop::array::uniform6(prop::option::of(
            "(\\+1415555[0-9]{4}|\\+336[0-9]{8}|\\+[0-9]{1,16}|[A-Za-z0-9]{0,13}|\\PC{0,20})",
        )),
        opted_out in any::<bool>(),
        now in -1_000_000_000_000..4_000_000_000_000i64,
    ) {
        let [from, sender_id, allo_number, to, message, content] = values.each_ref().map(Option::as_deref);
        let fields = Fields { from, sender_id, allo_number, to, message, content };
        let base = World::number();
        let zone = TimeZone::UTC;
        match Outgoing::read(&fields) {
            Err(refused) => prop_assert!(refused.param.is_some()),
            Ok(text) => {
                let quota = Quota::default();
                let team = Team { plan: Plan::Business, zone: &zone, trial: quota, api: quota };
                let facts = Facts {
                    line: base.line,
                    recipient: Recipient { is_sender_id: false, opted_out },
                    team,
                    content: &base.content,
                    marketing_hours: true,
                    now: Millis(now),
                };
                let accepted = check(&text, &facts);
                if let Ok(accepted) = accepted {
                    prop_assert_eq!(text.to, Address::Number(accepted.to));
                    prop_assert_eq!(accepted.segments, count(&text.content));
                    prop_assert!(!opted_out);
                }
            }
        }
    }
}
