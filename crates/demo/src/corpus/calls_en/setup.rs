//! Getting customers going: accounts, numbers, integrations; in English.

use crate::corpus::script::Step::{Hold, Maybe, Them, Us};
use crate::corpus::script::{Ending, Scenario};
use crate::corpus::tags::Topic;

use super::LOOK_UP;

/// The first steps of a new customer.
pub(super) const ONBOARDING: Scenario = Scenario {
    topic: Topic::Onboarding,
    weight: 5,
    inbound: &[Them(&[
        "We just signed up, and I'm [a bit lost|stuck] with the setup.",
        "We're new. I've [created|made] the account, but I don't know how to get my {seats} colleagues in.",
    ])],
    outbound: &[
        Us(&[
            "Welcome to {us}! I'm calling for the setup call we [planned|booked].",
            "You signed up on {date}, so I wanted to help you through the first steps.",
        ]),
        Them(&[
            "Great, I have the app open already.",
            "Good timing. I tried by myself and got stuck.",
        ]),
    ],
    body: &[
        Us(&[
            "[All right|Good], let's do it together. What do you see on your screen[ right now|]?",
            "Okay, are you in the settings? What does it show?",
        ]),
        Them(&[
            "I see the list of users, with only me in it.",
            "It says zero of {seats} users invited.",
        ]),
        Us(&[
            "Perfect. On the top right there's “Import”. You can drop a list with names and email addresses there.",
            "Good. Click on “Invite”, and paste all the email addresses at once, one per line.",
        ]),
        Them(&[
            "[One moment|Wait]... Okay, they're in.",
            "Let me get the list. All right, it's in.",
        ]),
        Hold,
        Us(&[
            "And now it should say {seats} invitations sent.",
            "[Great|Nice]. They all get an email with a link. Do you see {seats} pending?",
        ]),
        Them(&[
            "Yes, {seats}. [That was easy.|]",
            "Yes, {seats}. And now the numbers?",
        ]),
        Maybe(&[
            Us(&[
                "Do people use the app, or desk phones?",
                "Are there any desk phones to connect?",
            ]),
            Them(&[
                "Just the app. And two phones at reception.",
                "Mostly laptops with a headset.",
            ]),
            Us(&[
                "That's the easiest. Desk phones find their settings by themselves once they're plugged in.",
                "Good, then there's hardly anything to wire up.",
            ]),
            Them(&["[Nice|Good to know].", "That's what I hoped for."]),
        ]),
        Us(&[
            "Next is the ring group, so that a call rings for everyone in the team. Go to “Numbers”, then “Call routing”.",
            "Now we decide who rings first. Open your main number, and look for “Call flow”.",
        ]),
        Them(&[
            "I'm there. I can choose between all at once and one after another.",
            "Found it. It asks for opening hours, too.",
        ]),
    ],
    endings: &[
        Ending {
            tags: &["onboarding", "support", "resolved"],
            steps: &[
                Us(&[
                    "Take all at once, and after twenty seconds voicemail. You can change that at any time.",
                    "For a start, set it to ring everybody, with weekdays as opening hours and voicemail for the rest.",
                ]),
                Them(&["Done. Shall I try it?", "[Saved|Okay]. Can we test it?"]),
                Us(&[
                    "Yes, call it from your cell phone.",
                    "Please do. I'll stay on the line.",
                ]),
                Them(&[
                    "It's ringing! On all the laptops. [Everybody is looking at me.|]",
                    "It rings. And there's the caller's name, nice.",
                ]),
                Us(&[
                    "[Perfect|Great], then you're live. I'll send you the guide for voicemail greetings.",
                    "Congratulations, you're up and running. There's a training for the whole team on {day}, I'll send you the link.",
                ]),
                Them(&[
                    "[Super|Wonderful]. That took ten minutes.",
                    "Great, I thought we'd need days for this.",
                ]),
            ],
            summary: &[
                "Setup call with {who}: {seats} users invited, ring group and opening hours configured.",
                "Test call to the main number successful.",
            ],
            next_step: "{agent} sends further material by email.",
            short_summary: "{who} is live with {seats} users.",
        },
        Ending {
            tags: &["onboarding", "support", "meeting_booked"],
            steps: &[
                Us(&[
                    "Do you know the opening hours of all the teams?",
                    "Who should be in which group? Do you have that somewhere?",
                ]),
                Them(&[
                    "Not really. I need to ask the team leads first.",
                    "That's a longer story. We have {extra} teams, with different hours.",
                ]),
                Us(&[
                    "Then let's stop here and do the rest on {day}. Is {time} good?",
                    "I'd suggest a second session. {day} at {time}?",
                ]),
                Them(&["{day}, {time}, that works.", "Yes. By then I'll have the list."]),
                Us(&[
                    "[Good|Perfect]. Until then calls go to you and to voicemail. I'm sending a template you can fill in.",
                    "Great. You'll get an invitation and a small spreadsheet for the groups.",
                ]),
                Them(&["[That helps|Very good].", "Thanks, I'll prepare that."]),
            ],
            summary: &[
                "First setup call with {who}: {seats} users invited; call routing still open.",
                "Opening hours of the teams have to be collected first.",
            ],
            next_step: "second session on {day} at {time}; template sent.",
            short_summary: "Onboarding of {who} continues on {day} at {time}.",
        },
    ],
};

/// Numbers come from another carrier.
pub(super) const PORTING: Scenario = Scenario {
    topic: Topic::Porting,
    weight: 5,
    inbound: &[Them(&[
        "I'd like to know where we are with the porting. We're moving {lines} numbers to you.",
        "It's about our number porting, ticket {ticket}. I haven't heard anything for a week.",
    ])],
    outbound: &[
        Us(&[
            "I'm calling about the porting of your {lines} numbers. There's news.",
            "I have an update on your port request, ticket {ticket}.",
        ]),
        Them(&[
            "Good, I was wondering about that. [We can't wait to switch.|]",
            "Oh, finally. When do the numbers move?",
        ]),
    ],
    body: &[
        LOOK_UP,
        Us(&[
            "I have the request here. {lines} numbers, and we sent it to your old carrier on {date}.",
            "Okay, {lines} numbers in one block, submitted on {date}.",
        ]),
        Them(&["And what do they say?", "[Right|Yes]. And?"]),
    ],
    endings: &[
        Ending {
            tags: &["porting", "support", "resolved"],
            steps: &[
                Us(&[
                    "They confirmed. The numbers move on {date2}, {day}, at {time}.",
                    "Good news: it's accepted, and the date is {date2}, at {time}.",
                ]),
                Them(&[
                    "Will we be [offline|without phones] in between?",
                    "How long will the interruption be?",
                ]),
                Us(&[
                    "A few minutes at most. To be safe, we forward everything to your temporary number from {time} on.",
                    "Usually less than ten minutes. Your phones with us are already active, so nothing has to be changed on the day.",
                ]),
                Them(&[
                    "Great. And our old contract?",
                    "What about the contract with the old carrier?",
                ]),
                Us(&[
                    "It ends with the porting in most cases. But please don't cancel it yourself before {date2}, or the numbers could be lost.",
                    "Wait with the cancellation until the numbers are here. That's the most important point.",
                ]),
                Them(&[
                    "[Good to know|Understood], we won't touch it.",
                    "Okay. I'll tell [accounting|my boss] as well.",
                ]),
            ],
            summary: &[
                "Porting of {lines} numbers for {who}, ticket {ticket}, confirmed for {date2} at {time}.",
                "Customer keeps the old contract until the numbers have moved.",
            ],
            next_step: "forwarding to the temporary number on {date2}.",
            short_summary: "{lines} numbers of {who} will be ported on {date2}.",
        },
        Ending {
            tags: &["porting", "support", "follow_up"],
            steps: &[
                Us(&[
                    "They rejected it. The address on the form isn't the one they have on file.",
                    "It came back, unfortunately. The account holder's name doesn't match their records.",
                ]),
                Them(&[
                    "[Oh no|Seriously]? We moved last year, that could be it.",
                    "Hm. The contract still runs under our old company name.",
                ]),
                Us(&[
                    "That's it, then. Could you send me the latest bill from them? It shows exactly what they have on file.",
                    "I thought so. If you send me a copy of their last bill, I'll correct the form for you.",
                ]),
                Them(&["I can do that today.", "Sure, where should I send it?"]),
                Us(&[
                    "Just reply to the email of ticket {ticket}. I'll resubmit it the same day, and then it takes about {weeks} weeks.",
                    "As an answer to ticket {ticket}. With the right data they normally confirm within {weeks} weeks.",
                ]),
                Them(&[
                    "Okay, you'll have it by tonight.",
                    "[All right|Good]. I'm sending it now.",
                ]),
            ],
            summary: &[
                "Port request of {who} for {lines} numbers, ticket {ticket}, was rejected: customer data does not match the old carrier's records.",
                "{first} sends the carrier's latest bill.",
            ],
            next_step: "{agent} corrects and resubmits the form; about {weeks} weeks.",
            short_summary: "Porting of {lines} numbers for {who} rejected; corrected form to follow.",
        },
        Ending {
            tags: &["porting", "support", "callback"],
            steps: &[
                Us(&[
                    "Nothing yet, and they're past the deadline. I'm going to call them today.",
                    "They haven't answered. That's slow, even for them.",
                ]),
                Them(&[
                    "That's annoying. Our cards are printed, and we planned to switch on {day}.",
                    "We planned to switch on {day}. Is that still realistic?",
                ]),
                Us(&[
                    "I can't promise that. But I'm escalating it, and you'll get a call from me by {day}.",
                    "To be honest, {day} is tight. I'll chase them, and call you by {day} either way.",
                ]),
                Them(&[
                    "Please do, even if there's nothing new.",
                    "Okay. Just keep me posted.",
                ]),
            ],
            summary: &[
                "Porting of {lines} numbers for {who}, ticket {ticket}: no answer from the old carrier, deadline passed.",
                "{agent} escalates it with the carrier.",
            ],
            next_step: "call {first} by {day}, with or without news.",
            short_summary: "Porting for {who} delayed by the old carrier; update promised by {day}.",
        },
    ],
};

/// The connection to the CRM.
pub(super) const INTEGRATION: Scenario = Scenario {
    topic: Topic::Integration,
    weight: 4,
    inbound: &[Them(&[
        "We use {crm} as our CRM. Can {us} log the calls there?",
        "It's about the {crm} integration. Since {day} no calls show up there.",
        "I'm trying to connect {crm}, and it doesn't work.",
    ])],
    outbound: &[
        Us(&[
            "You asked about the connection to {crm}. I can set that up with you [now|right away].",
            "I see that your {crm} integration has been failing since {day}. I'd like to help you fix it.",
        ]),
        Them(&[
            "Yes, please. Our sales people [keep asking for it|type everything by hand].",
            "[Great|Good], I'm in front of it.",
        ]),
    ],
    body: &[
        Us(&[
            "We'll set it up together, it's under “Integrations”. Do you have admin rights in {crm}?",
            "Okay. For that you need to be an admin in {crm}. Are you?",
        ]),
        Them(&["I think so, yes.", "Yes, I manage it."]),
        Us(&[
            "Then click “Connect”, and sign in to {crm} when it asks you.",
            "[Perfect|Good]. Please press “Connect”, and allow access to contacts and activities.",
        ]),
        Them(&[
            "Done... It's loading.",
            "It's asking me for permissions. Okay, allowed.",
        ]),
        Hold,
    ],
    endings: &[
        Ending {
            tags: &["integration", "support", "resolved"],
            steps: &[
                Us(&["And now it should be green.", "Do you see the green dot?"]),
                Them(&["Yes. “Connected”.", "It is green. Is that all?"]),
                Us(&[
                    "Almost. Turn on “Log calls” and “Summaries”, then each call lands on the right contact a minute after it ends.",
                    "That's it. New calls show up by themselves, and I've started the import of the last {days} days.",
                ]),
                Them(&["What if the contact isn't in {crm} yet?", "And unknown numbers?"]),
                Us(&[
                    "A new contact is created for them, or not, as you like. There's a switch for it.",
                    "They can be added on their own. I'd leave that off in the beginning, or you'll collect a lot of spam.",
                ]),
                Them(&[
                    "[Makes sense|Good], I'll leave it off.",
                    "Okay. I see the first calls coming in, great.",
                ]),
            ],
            summary: &[
                "{who} connected {crm} during the call; calls and summaries are logged on the contacts.",
                "New contacts for unknown numbers stay off.",
            ],
            next_step: "",
            short_summary: "{crm} integration of {who} is working.",
        },
        Ending {
            tags: &["integration", "support", "follow_up"],
            steps: &[
                Us(&["What do you see?", "Is there a message?"]),
                Them(&[
                    "An error. “Insufficient permissions”.",
                    "It says the token has expired. Twice now.",
                ]),
                Us(&[
                    "I thought so. {crm} changed something about its permissions. Our integrations team knows how to deal with it.",
                    "Hm. I'd like {colleague} to look at that, who built the thing.",
                ]),
                Them(&["When could that be?", "Okay. Do you need access to our system?"]),
                Us(&[
                    "{colleague} can do a screen share with you on {day} at {time}. It takes {minutes} minutes, and no access is needed.",
                    "A screen share is enough, with {colleague}. {day} at {time}?",
                ]),
                Them(&["{day} at {time}, good.", "That works for me."]),
            ],
            summary: &[
                "{crm} integration of {who} fails with an error about permissions.",
                "Screen share with {colleague} on {day} at {time}.",
            ],
            next_step: "{colleague} fixes the connection with {first}.",
            short_summary: "{crm} connection of {who} fails; session with {colleague} on {day}.",
        },
        Ending {
            tags: &["integration", "qualified", "upgrade"],
            steps: &[
                Us(&[
                    "Does it say something about your plan?",
                    "Hm, it should have been quick. What does it show?",
                ]),
                Them(&["“Not included in {plan}”.", "It says we need {plan_up} for that."]),
                Us(&[
                    "Right, {crm} is part of {plan_up}. That's {price_up} a seat instead of {price}. But I can turn on a trial of two weeks.",
                    "Ah, I should have checked. You're on {plan}. I can give you {plan_up} for two weeks for free.",
                ]),
                Them(&["And after that?", "Do we have to cancel it?"]),
                Us(&[
                    "You go back to {plan} automatically, unless you say yes. I'd call you on {day} before it ends.",
                    "No, it ends by itself. I'll ask you beforehand if you want to keep it.",
                ]),
                Them(&["[Okay|Then], let's try it.", "Good, please turn it on."]),
            ],
            summary: &[
                "{who} wants to connect {crm}, which needs {plan_up} (currently {plan}).",
                "Two-week trial of {plan_up} activated.",
            ],
            next_step: "{agent} calls before the trial ends.",
            short_summary: "{who} tries {plan_up} for two weeks for its {crm} integration.",
        },
    ],
};
