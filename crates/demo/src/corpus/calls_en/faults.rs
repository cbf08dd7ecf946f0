//! What goes wrong: outages, bugs, deliveries; in English.

use crate::corpus::script::Step::{Hold, OneOf, Them, Us};
use crate::corpus::script::{Ending, Scenario};
use crate::corpus::tags::Topic;

/// Telephony does not work.
pub(super) const OUTAGE: Scenario = Scenario {
    topic: Topic::Outage,
    weight: 5,
    inbound: &[Them(&[
        "We have a problem. Since this morning {symptom}.",
        "Something's [wrong|broken] with our phones: {symptom}. It's [pretty|really] urgent.",
        "I hope you can help us fast. We have customers waiting, and {symptom}.",
    ])],
    outbound: &[
        Us(&[
            "Our monitoring shows trouble on your lines, so I'm calling before you have to. Is everything all right?",
            "You opened ticket {ticket} an hour ago, marked as urgent. Tell me what you see.",
        ]),
        Them(&[
            "It's bad. Right now {symptom}.",
            "Not really, no. We have a problem: {symptom}.",
        ]),
    ],
    body: &[
        Us(&[
            "I'm sorry, let's find out what it is. Is it everyone, or only some people?",
            "Okay, we'll sort that out. Does it happen on all the phones?",
        ]),
        Them(&[
            "Everyone, as far as I can tell. {seats} people.",
            "All of them. [The whole office is standing around.|]",
            "The whole office. From home it seems to work.",
        ]),
        Us(&[
            "And did anything change, a new router or a new internet line?",
            "Was there any work on your network [lately|yesterday]?",
        ]),
        Them(&[
            "Not that I know of.",
            "Hm, IT did something with the firewall [last night|on {day}].",
            "I don't think so, but I'm not in IT.",
        ]),
        Us(&[
            "Give me a moment, I'm looking at your traffic.",
            "One second, I'm checking what arrives at our end.",
        ]),
        Them(&[
            "Okay.",
            "Please hurry, [if you can|the phones should be ringing].",
        ]),
        Hold,
    ],
    endings: &[
        Ending {
            tags: &["outage", "support", "urgent", "resolved"],
            steps: &[
                Us(&[
                    "I see it. Your firewall rewrites our packets. There's a setting, it's usually called SIP helper or SIP ALG.",
                    "Got it. The registrations leave your office, but the answers are blocked. That's the firewall.",
                ]),
                Them(&[
                    "I've got the admin page open. Where is that?",
                    "Let me get our IT guy. Okay, he's listening.",
                ]),
                Us(&[
                    "Under “Advanced”, switch it off, save, and restart one phone.",
                    "Please turn off SIP ALG, and then unplug one phone for ten seconds.",
                ]),
                Them(&["Restarting... [It takes a bit.|]", "Off. Restarting one now."]),
                Hold,
                Us(&[
                    "I can see it registering. Please make a call.",
                    "It looks good from here. Can you try a call?",
                ]),
                Them(&[
                    "It works! [You're a lifesaver.|]",
                    "Yes, I can hear the voice announcement. [Finally.|]",
                ]),
                Us(&[
                    "[Great|Perfect]. Then restart the others, and I'll keep an eye on your lines for {hours} hours.",
                    "Wonderful. Do the same with the other phones. I'll leave ticket {ticket} open until tomorrow.",
                ]),
                Them(&["[Great|Thank you so much], we'll do that right away.", "Will do."]),
            ],
            summary: &[
                "Outage at {who}: {symptom}.",
                "Cause: the firewall (SIP ALG) blocked the answers; switched off during the call, test call fine.",
            ],
            next_step: "remaining phones are restarted; {agent} watches the lines.",
            short_summary: "Outage at {who} resolved by a change on their firewall.",
        },
        Ending {
            tags: &["outage", "support", "urgent", "escalated"],
            steps: &[
                Us(&[
                    "It's not you. One of our data centers has a disturbance, and our engineers are on it.",
                    "I've just got the confirmation: it's an incident on our side. Several customers are affected.",
                ]),
                Them(&[
                    "How long is that going to take?",
                    "Okay, and when will it be fixed?",
                ]),
                Us(&[
                    "They're saying within {hours} hours. Until then I can forward your main number to a cell phone, that works.",
                    "I expect {hours} hours. Shall I route your calls to a cell phone in the meantime?",
                ]),
                Them(&[
                    "Yes, please. To mine, the one I'm calling from.",
                    "That would save us. Use this number, please.",
                ]),
                Us(&[
                    "It's active. I've opened ticket {ticket}, and you'll get a text when it's over.",
                    "Done, please try it. Your ticket is {ticket}, updates go out every thirty minutes.",
                ]),
                Them(&[
                    "It's ringing here. Okay, we'll manage.",
                    "Works. Thanks, that [helps|takes the pressure off].",
                ]),
            ],
            summary: &[
                "Outage at {who}: {symptom}. Cause is an incident on our side.",
                "Main number forwarded to {first}'s cell phone for the time being.",
            ],
            next_step: "ticket {ticket}; fix expected within {hours} hours, update by text.",
            short_summary: "Outage at {who} due to our incident; calls forwarded, ticket {ticket}.",
        },
    ],
};

/// A fault in the app.
pub(super) const BUG: Scenario = Scenario {
    topic: Topic::Bug,
    weight: 4,
    inbound: &[Them(&[
        "I think I found a bug in your app.",
        "Since the last update, the app does strange things.",
        "Something in the app [isn't right|is off]. It's not urgent, but annoying.",
    ])],
    outbound: &[
        Us(&[
            "You reported a bug, ticket {ticket}, and I couldn't reproduce it. Could we look at it together?",
            "I'm calling about your bug report, ticket {ticket}.",
        ]),
        Them(&["Yes, [good|thanks]. It still happens.", "Sure, I can show you."]),
    ],
    body: &[
        Us(&["What exactly happens?", "[Okay|All right], tell me step by step."]),
        OneOf(&[
            &[
                Them(&[
                    "When I open a contact, the call history is empty. After a reload it's there.",
                    "The history of a contact only shows after the second click.",
                ]),
                Us(&["Is it like that every time?", "Every time, or now and then?"]),
                Them(&["Only for those with many calls.", "About every third one."]),
            ],
            &[
                Them(&[
                    "The notifications on my phone come minutes late. By then the caller has hung up.",
                    "My cell phone rings, but when I pick up in the app, it's already over.",
                ]),
                Us(&[
                    "Is it always like that, or does it depend on something?",
                    "Have you noticed when it happens?",
                ]),
                Them(&[
                    "Mostly when the phone was locked for a while.",
                    "On Wi-Fi it's fine, outside it isn't.",
                ]),
            ],
            &[
                Them(&[
                    "The export of the call list stops after a thousand rows.",
                    "If I export the calls of a month, the last days are missing.",
                ]),
                Us(&[
                    "Did you set any filters, or try another browser?",
                    "Is that with all calls, and in every browser?",
                ]),
                Them(&[
                    "All calls, no filter. [In two browsers.|]",
                    "I tried two browsers, without a filter. It's the same.",
                ]),
            ],
        ]),
        Us(&[
            "And which version do you have? It's at the bottom of the settings.",
            "Could you read me the version number, under “About”?",
        ]),
        Them(&[
            "Four point two point {minutes}.",
            "It says four point one, build {minutes}.",
        ]),
        Hold,
    ],
    endings: &[
        Ending {
            tags: &["bug", "support", "follow_up"],
            steps: &[
                Us(&[
                    "Thanks. I can see it here as well, so it's us. I'll pass it to the developers as ticket {ticket}.",
                    "I managed to reproduce it. That's a bug, and ticket {ticket} is for it.",
                ]),
                Them(&[
                    "How long do you need for that?",
                    "And is there anything I can do until then?",
                ]),
                Us(&[
                    "A fix usually takes {days} days. Until then, reloading the page helps.",
                    "The next version comes in about {days} days. A restart of the app helps in the meantime.",
                ]),
                Them(&["Okay, we can live with that.", "All right. Just let me know."]),
                Us(&[
                    "You'll get an email as soon as it's fixed. Could you add a screenshot to the ticket?",
                    "You'll hear from me. Could you send me a screenshot for the ticket?",
                ]),
                Them(&["[Sure|Of course].", "No problem."]),
            ],
            summary: &[
                "{who} reported a fault in the app; reproduced during the call.",
                "Passed on to development as ticket {ticket}; workaround explained.",
            ],
            next_step: "fix expected in about {days} days, {first} is informed by email.",
            short_summary: "Bug reported by {who} confirmed as ticket {ticket}.",
        },
        Ending {
            tags: &["bug", "support", "resolved"],
            steps: &[
                Us(&[
                    "That's an older version. The fault was fixed in the one after it.",
                    "I see, we fixed that last week. You don't have the update yet.",
                ]),
                Them(&["Really? It says it's up to date.", "Ah. How do I get it?"]),
                Us(&[
                    "Please sign out, close the app completely and open it again.",
                    "Quit the app and start it again, then it pulls the new version.",
                ]),
                Them(&[
                    "One moment... Now it's a different number.",
                    "Okay, doing it. It's updating.",
                ]),
                Us(&[
                    "Good. Could you try the same thing again?",
                    "And now the same steps?",
                ]),
                Them(&["It works now. That was easy.", "Yes, now it's right. Great."]),
            ],
            summary: &[
                "{who} reported a fault in the app that is fixed in the current version.",
                "App updated during the call; the fault is gone.",
            ],
            next_step: "",
            short_summary: "App of {who} updated; reported fault is gone.",
        },
    ],
};

/// Devices do not arrive.
pub(super) const DELIVERY: Scenario = Scenario {
    topic: Topic::Delivery,
    weight: 5,
    inbound: &[Them(&[
        "We're waiting for order {order}, {qty} {devices}. They should have been here on {day}.",
        "Where are our {devices}? Order {order}, {qty} of them, and nothing has arrived.",
        "The tracking for order {order} hasn't moved for {days} days.",
    ])],
    outbound: &[
        Us(&[
            "You asked where order {order} is, so I wanted to look into it with you.",
            "I have your message about order {order}, the one that hasn't arrived.",
        ]),
        Them(&[
            "Yes, we're still waiting for the {qty} {devices}. They were due on {day}.",
            "Right, {qty} {devices}. Where are they?",
        ]),
    ],
    body: &[
        Us(&[
            "Let me see what the carrier says. One moment.",
            "I'm opening the tracking as we speak.",
        ]),
        Them(&["[Sure|Okay].", "Please. [People are waiting for them.|]"]),
        Hold,
    ],
    endings: &[
        Ending {
            tags: &["delivery", "support", "follow_up"],
            steps: &[
                Us(&[
                    "They left our warehouse on {date}. The carrier says that nobody was there to sign, so they're back at the depot.",
                    "The parcel is at the depot, about an hour from you. They tried to deliver it and found nobody.",
                ]),
                Them(&[
                    "Nobody called us. [And the front desk is always staffed.|]",
                    "That can't be, we're here every day from eight to six.",
                ]),
                Us(&[
                    "I believe you. I've booked a new delivery for {day2}, before noon. Does that suit you?",
                    "I'll send the carrier a new instruction, delivery on {day2} with a call in advance. Okay?",
                ]),
                Them(&[
                    "{day2} is fine. But then it has to work.",
                    "Okay. We start with the new office on {day2}, so please not later.",
                ]),
                Us(&[
                    "If it's not there by noon, I'll send the {qty} {devices} again by express, on us.",
                    "You'll get a tracking link by text, and I'll look at it myself on {day2}.",
                ]),
                Them(&[
                    "[Okay|Good], thanks for taking care of it.",
                    "That's [fair|good to hear].",
                ]),
            ],
            summary: &[
                "{who} is waiting for order {order} ({qty} {devices}), held up at the carrier's depot.",
                "New delivery booked for {day2}.",
            ],
            next_step: "{agent} checks the delivery on {day2}.",
            short_summary: "Delayed order {order} of {who} will arrive on {day2}.",
        },
        Ending {
            tags: &["delivery", "support", "escalated"],
            steps: &[
                Us(&[
                    "The {devices} are out of stock, and the supplier keeps moving the date. Right now it says {weeks} weeks.",
                    "I'm sorry, our supplier is late. The earliest would be in {weeks} weeks.",
                ]),
                Them(&[
                    "{weeks} weeks? [That's not possible.|] We open the new branch before that.",
                    "That's too long. Isn't there anything else?",
                ]),
                Us(&[
                    "I could send you loaners until then, same functions, older model. They'd be with you on {day}.",
                    "What I can do: loan devices, delivered on {day}, free of charge, and you swap them later.",
                ]),
                Them(&["All {qty}?", "And they work with our system?"]),
                Us(&[
                    "All {qty}, and they're set up for you, you only plug them in. And I'll take {credit} off the order for the trouble.",
                    "All of them, plug and play. Plus {credit} off the order, because you had to wait.",
                ]),
                Them(&[
                    "That's a good solution. Let's do that.",
                    "[Okay|Fine], then we take the loaners.",
                ]),
            ],
            summary: &[
                "{who} is waiting for order {order} ({qty} {devices}), out of stock, delay of {weeks} weeks.",
                "Loaners agreed, {credit} off the order.",
            ],
            next_step: "loaners arrive on {day}.",
            short_summary: "Order {order} delayed by {weeks} weeks; {who} gets loaners on {day}.",
        },
        Ending {
            tags: &["delivery", "support", "resolved"],
            steps: &[
                Us(&[
                    "It says delivered on {date}, signed by somebody at reception.",
                    "According to the carrier they were handed over on {date}, at a neighbor's, on the ground floor.",
                ]),
                Them(&[
                    "Really? Hang on, let me ask.",
                    "Hm, nobody told me. Give me a minute.",
                ]),
                Us(&["[Sure|Of course].", "Take your time."]),
                Hold,
                Them(&[
                    "They're here. {qty} boxes behind the printer. I'm sorry.",
                    "Found them. They were in the mail room the whole time.",
                ]),
                Us(&[
                    "[Great|No problem at all], that's the best possible outcome. Do you need help with setting them up?",
                    "Good that they turned up. If you plug them in, they configure themselves.",
                ]),
                Them(&[
                    "No, [we'll manage|our IT does that]. Thanks.",
                    "I think we're fine. Thank you.",
                ]),
            ],
            summary: &[
                "{who} missed order {order} ({qty} {devices}); it had been delivered on {date} and was found on site.",
            ],
            next_step: "",
            short_summary: "Order {order} of {who} had arrived already.",
        },
    ],
};
