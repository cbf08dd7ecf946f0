//! Messages left on the voicemail, in English.

use super::script::Step::{Maybe, Them};
use super::script::{Ending, Message};
use super::tags::Topic;

/// English voicemails, each of 8 to 40 seconds.
pub(super) const MESSAGES: &[Message] = &[
    Message {
        topic: Topic::BillingQuestion,
        ending: Ending {
            tags: &["voicemail", "billing", "callback"],
            steps: &[
                Them(&[
                    "Hi, this is {caller}.",
                    "Hello, {caller} here.",
                    "Good day, my name is {caller}.",
                ]),
                Them(&[
                    "I have a question about our bill, invoice {invoice}. It says {monthly_total}, and I was expecting {monthly}.",
                    "It's about a billing matter. Invoice {invoice} is {overcharge} higher than usual, and I don't see why.",
                ]),
                Maybe(&[Them(&[
                    "It's probably something simple, but I need to explain it to our accountant.",
                    "I'd like to understand that before the money goes out.",
                ])]),
                Them(&[
                    "Could you call me back, please? {day} before {time2} would be best. Thank you.",
                    "Please give me a call when you have a minute. I'm here until {time2}. Thanks, bye.",
                ]),
            ],
            summary: &[
                "{who} has a question about invoice {invoice}, which came out {overcharge} higher than usual.",
            ],
            next_step: "call back.",
            short_summary: "{who} asks for a call about the amount of invoice {invoice}.",
        },
    },
    Message {
        topic: Topic::Refund,
        ending: Ending {
            tags: &["voicemail", "billing", "refund"],
            steps: &[
                Them(&["Hello, it's {caller}.", "Hi there, {caller} speaking."]),
                Them(&[
                    "I'm calling about the refund for order {order}. We sent the {devices} back [a while|{weeks} weeks] ago, and we were told the money would be there by now.",
                    "You promised us a refund of {credit}, and it isn't on the latest bill. That's invoice {invoice}.",
                ]),
                Them(&[
                    "Could somebody look into it and let me know? An email is fine, too. Thank you.",
                    "Please check with billing and call me back. Thanks a lot, bye.",
                ]),
            ],
            summary: &["{who} is waiting for a promised refund and asks billing to look into it."],
            next_step: "check the refund and answer by phone or email.",
            short_summary: "{who} asks where a promised refund is.",
        },
    },
    Message {
        topic: Topic::Outage,
        ending: Ending {
            tags: &["voicemail", "outage", "urgent"],
            steps: &[
                Them(&[
                    "Hi, {caller}. This is urgent.",
                    "Yes, hello, {caller} here. We have a serious problem.",
                ]),
                Them(&[
                    "Since about an hour ago {symptom}. It's everyone, not only me.",
                    "Right now {symptom}, and we have {seats} people who can't work.",
                ]),
                Maybe(&[Them(&[
                    "We restarted everything, and that didn't change anything.",
                    "Our IT says the internet is fine.",
                ])]),
                Them(&[
                    "Please call me on my cell phone as soon as you hear this. Thank you.",
                    "Can somebody please call back right away? My cell, the number I'm calling from.",
                ]),
            ],
            summary: &["{who} reports an outage: {symptom}."],
            next_step: "call back at once, on the cell phone.",
            short_summary: "Urgent: outage at {party}.",
        },
    },
    Message {
        topic: Topic::Demo,
        ending: Ending {
            tags: &["voicemail", "prospect", "callback"],
            steps: &[
                Them(&[
                    "Hello, my name is {caller}.",
                    "Hi, {caller}. We haven't spoken yet.",
                ]),
                Them(&[
                    "We're a team of {seats}, and we're looking for a new phone system. I've seen your website, and I'd like to book a demo.",
                    "I got your name from a colleague. We have about {seats} people on the phone, and our contract ends soon, so I'd like to see what you have.",
                ]),
                Them(&[
                    "I'm free on {day} around {time}, or {day2} after {time2}. Looking forward to hearing from you.",
                    "Please call me back on {day}, any time before {time2}. Thanks!",
                ]),
            ],
            summary: &["{who} looks for a phone system for {seats} people and would like a demo."],
            next_step: "call back and book a demo, preferably on {day}.",
            short_summary: "{who} would like a demo for {seats} people.",
        },
    },
    Message {
        topic: Topic::Porting,
        ending: Ending {
            tags: &["voicemail", "porting", "follow_up"],
            steps: &[
                Them(&["Hi, it's {caller}.", "Hello, this is {caller} again."]),
                Them(&[
                    "I'm wondering about the porting of our {lines} numbers, ticket {ticket}. It was submitted on {date}, and I haven't heard anything.",
                    "Our old carrier just called me and says they never got the porting request. The ticket is {ticket}, {lines} numbers.",
                ]),
                Them(&[
                    "Could you find out where it's stuck? We'd like to announce the switch on {day}. Thanks.",
                    "Please let me know what's going on. Best by email, with the ticket number. Thank you.",
                ]),
            ],
            summary: &["{who} asks about the porting of {lines} numbers (ticket {ticket})."],
            next_step: "find out the status and report back.",
            short_summary: "{who} asks for the status of the porting, ticket {ticket}.",
        },
    },
    Message {
        topic: Topic::Delivery,
        ending: Ending {
            tags: &["voicemail", "delivery"],
            steps: &[
                Them(&["Good day, {caller}.", "Hi, this is {caller}."]),
                Them(&[
                    "We're still waiting for order {order}, {qty} {devices}. They were supposed to come on {day}.",
                    "It's about order {order}. You sent us {extra} {devices}, but we ordered {qty}.",
                ]),
                Them(&[
                    "Can you tell me what's going on, and when we'll have all of it? We need it by {day2}. Thank you.",
                    "I'd be glad about a quick call, or a tracking link. Thanks.",
                ]),
            ],
            summary: &["{who} is missing devices from order {order} ({qty} {devices})."],
            next_step: "check the shipment and send a tracking link.",
            short_summary: "Order {order} of {who} has not arrived in full.",
        },
    },
    Message {
        topic: Topic::Quote,
        ending: Ending {
            tags: &["voicemail", "quote", "follow_up"],
            steps: &[
                Them(&["Hi, {caller} here.", "Hello, it's {caller}."]),
                Them(&[
                    "I've got your quote in front of me, {quote}. We like it, but there's one thing: we now need {total_seats} seats instead of {seats}.",
                    "Thank you for quote {quote}. Before I sign, could you change it to {total_seats} seats? We counted again.",
                ]),
                Them(&[
                    "If you could send me a new version by {day}, we can sign this week. Thanks!",
                    "Just email me the new one, and you'll have it back the same day. Bye.",
                ]),
            ],
            summary: &[
                "{who} wants quote {quote} changed from {seats} to {total_seats} seats before signing.",
            ],
            next_step: "send the new version of the quote.",
            short_summary: "{who} needs quote {quote} for {total_seats} seats.",
        },
    },
    Message {
        topic: Topic::Onboarding,
        ending: Ending {
            tags: &["voicemail", "onboarding", "support"],
            steps: &[
                Them(&[
                    "Hello, this is {caller}, we're new with you.",
                    "Hi, {caller}. We signed up on {date}.",
                ]),
                Them(&[
                    "Everything works so far, but {extra} of my colleagues never got their invitation email. I checked the spam folder.",
                    "I'm stuck with the call routing. I want it to ring at reception first, and then for everyone, and I can't find where.",
                ]),
                Them(&[
                    "Maybe we can look at it together on {day}? I'm in the office from {time}. Thank you so much.",
                    "Could somebody help me with that? It's not urgent. Thanks.",
                ]),
            ],
            summary: &["{who} needs help with the setup of the new account."],
            next_step: "offer a short setup call.",
            short_summary: "{who} asks for help with the setup.",
        },
    },
    Message {
        topic: Topic::Cancellation,
        ending: Ending {
            tags: &["voicemail", "cancellation", "churn_risk"],
            steps: &[
                Them(&["Hello, {caller}.", "Yes, hi, this is {caller}."]),
                Them(&[
                    "I'd like to know the notice period for our contract. We have {seats} seats on the {plan} plan, and we're thinking about canceling.",
                    "We've decided not to continue with {us} after this term. Please tell me what I have to do to cancel.",
                ]),
                Maybe(&[Them(&[
                    "It's nothing against you, we simply have fewer people now.",
                    "We may be open to a smaller plan, if there is one.",
                ])]),
                Them(&[
                    "Please call me back by {day}. Thank you.",
                    "A short call or an email is enough. Thanks, goodbye.",
                ]),
            ],
            summary: &["{who} is considering a cancellation and asks about the terms."],
            next_step: "call back by {day} and look for alternatives.",
            short_summary: "{who} wants to talk about canceling.",
        },
    },
    Message {
        topic: Topic::PaymentReminder,
        ending: Ending {
            tags: &["voicemail", "billing", "payment"],
            steps: &[
                Them(&[
                    "Hi, {caller}, accounts payable.",
                    "Hello, {caller}. I look after the invoices here.",
                ]),
                Them(&[
                    "You sent a reminder for invoice {invoice}. We paid the {monthly} on {date}, so the two must have crossed.",
                    "About your reminder for {invoice}: the payment of {monthly} is scheduled for {day}, our card was replaced.",
                ]),
                Them(&[
                    "Please check, and take the reminder back if everything is okay. Thanks.",
                    "No need to call back if that's fine with you. Have a good one.",
                ]),
            ],
            summary: &[
                "{who} called about the reminder for invoice {invoice} over {monthly}; the payment is made or under way.",
            ],
            next_step: "check for the payment and stop the reminder.",
            short_summary: "{who} on the reminder for invoice {invoice}: payment is taken care of.",
        },
    },
    Message {
        topic: Topic::OpeningHours,
        ending: Ending {
            tags: &["voicemail", "general"],
            steps: &[
                Them(&["Hi, it's {caller}.", "Hello, {caller} calling."]),
                Them(&[
                    "I tried to reach you, but I guess you're closed already. I just wanted to ask about your hours over the holidays, and if support can be reached on {day}.",
                    "Sorry to call so late. I wanted to know until when I can reach you on {day}, because we're switching our routers then.",
                ]),
                Them(&[
                    "A quick text message is enough. Thank you.",
                    "Just send me a short text with the hours, please. Thanks, bye bye.",
                ]),
            ],
            summary: &["{who} asks about our hours on {day}."],
            next_step: "answer by text message.",
            short_summary: "{who} asks until when we can be reached on {day}.",
        },
    },
    Message {
        topic: Topic::Integration,
        ending: Ending {
            tags: &["voicemail", "integration", "support"],
            steps: &[
                Them(&["Hello, this is {caller}.", "Hi, {caller} here."]),
                Them(&[
                    "Our calls don't show up in {crm} anymore. It stopped on {day}, and nobody changed anything that I know of.",
                    "Since we connected {crm}, every call is logged twice. It looks funny, but our sales people complain.",
                ]),
                Them(&[
                    "I opened a ticket as well, {ticket}. Could somebody have a look? Thanks in advance.",
                    "Please call me back, I can share my screen any time before {time2}. Thanks.",
                ]),
            ],
            summary: &[
                "{who} has trouble with the {crm} integration: calls are not logged as they should be.",
            ],
            next_step: "look into it and call back.",
            short_summary: "{who} reports trouble with the {crm} integration.",
        },
    },
];
