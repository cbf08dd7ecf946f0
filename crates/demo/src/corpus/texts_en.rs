//! Text messages in English.

use super::script::Step::{Maybe, OneOf, Them, Us};
use super::texts::Messages;

/// English text messages.
pub(super) const MESSAGES: Messages = Messages {
    exchanges: &[
        // An appointment is confirmed or moved.
        &[
            Us(&[
                "Hi {first}, just confirming our call on {day} at {time}. [Best, {agent}|{agent}, {us}]",
                "Hello {first}, does {day} at {time} still work for you? {agent} from {us}",
            ]),
            Them(&[
                "[Yes|Yep], see you then[!|.]",
                "Works for me, thanks {agent}",
                "Confirmed 👍",
            ]),
            Maybe(&[Us(&[
                "Great, the link is in the invitation.",
                "Perfect. Talk to you on {day}!",
            ])]),
        ],
        &[
            Us(&[
                "Hi {first}, a reminder of your demo [tomorrow|on {day}] at {time}. Reply here if you need another time. {agent}, {us}",
            ]),
            Them(&[
                "Can we [move it to|do] {day2} instead? Something came up.",
                "Sorry, I have to reschedule. Would {day2} be possible?",
            ]),
            Us(&[
                "[Sure|Of course], {day2} at {time2}?",
                "No problem. {day2}, {time2}?",
            ]),
            Them(&[
                "Perfect[, thank you|]!",
                "Yes, that's good.",
                "{time2} is fine. Thanks for understanding",
            ]),
            Maybe(&[Us(&[
                "Done, you'll get a new invitation.",
                "Moved. See you on {day2}!",
            ])]),
        ],
        // Billing.
        &[
            Them(&[
                "Hi {agent}, did you get our payment for {invoice}?",
                "Hello, quick question: has invoice {invoice} been paid on your side?",
            ]),
            Us(&[
                "Hi {first}, yes, {monthly} arrived on {date}. All good!",
                "Let me check... Yes, it came in on {date}. Thank you!",
                "Not yet, but that can take a day or two. I'll text you when it's here.",
            ]),
            Maybe(&[Them(&["Ok, thanks", "Ok thanks for checking!"])]),
        ],
        &[
            Them(&[
                "Any news on our refund? It was {overcharge} on invoice {invoice}",
                "Hi, when will we get the refund for {invoice}?",
            ]),
            Us(&[
                "Hi {first}, billing sent it on {date}. It should be there within {days} business days.",
                "The refund of {overcharge} is on its way, {first}. Your bank may need up to {days} business days.",
            ]),
            Them(&[
                "Ok, I'll keep an eye on it. Thanks",
                "Perfect, thank you {agent}",
                "It's here now, thanks!",
            ]),
        ],
        &[
            Us(&[
                "Hi {first}, invoice {invoice} over {monthly} is still open. Here's a link to pay by card: pay.calderwyn.example/{invoice}",
                "Hello {first}, a friendly reminder that invoice {invoice} ({monthly}) was due on {date}. Any questions? {agent}",
            ]),
            OneOf(&[
                &[
                    Them(&[
                        "Oh sorry, totally missed it. Paying now",
                        "It's scheduled for {day}",
                    ]),
                    Us(&[
                        "Thank you {first}!",
                        "[Great|Perfect], thanks. I've stopped the reminders.",
                    ]),
                ],
                &[
                    Them(&[
                        "Could you send me the bill again please?",
                        "I can't find it, do you have a copy?",
                    ]),
                    Us(&[
                        "It's in your inbox again.",
                        "Sure, I've just sent it to you by email.",
                    ]),
                    Maybe(&[Them(&["Got it, thanks", "Thanks, paid!"])]),
                ],
            ]),
        ],
        // Support.
        &[
            Them(&[
                "Hi, our phones are down again: {symptom}",
                "Hello {agent}, small emergency here, {symptom}",
            ]),
            Us(&[
                "On it. Is it all of you or just a few?",
                "Sorry to hear that {first}! Looking at it right now. Everyone affected?",
            ]),
            Them(&["Everyone", "All {seats} of us", "Only the office, home works"]),
            Us(&[
                "Please restart the router, and tell me if that helps.",
                "Found something on our end. Give us {minutes} minutes.",
            ]),
            Them(&[
                "It's working again!! Thank you",
                "Back up, great",
                "Ok it's fine now. What was it?",
            ]),
            Maybe(&[Us(&[
                "Great! I'll send you a short report, ticket {ticket}.",
                "Glad to hear it. Details are in ticket {ticket}.",
            ])]),
        ],
        &[
            OneOf(&[
                &[
                    Them(&[
                        "How do I change my voicemail greeting?",
                        "Where's the voicemail greeting hiding?",
                    ]),
                    Us(&[
                        "Settings > Numbers > your number, it's at the bottom. Shout if you don't find it!",
                    ]),
                ],
                &[
                    Them(&[
                        "Quick one: where do I add a new colleague?",
                        "Hi {agent}, we have a new colleague, how do I add her?",
                    ]),
                    Us(&[
                        "In the app under Settings > Users. I can also do it for you.",
                        "Settings > Users > Invite. It's one more seat from then on.",
                    ]),
                ],
            ]),
            Maybe(&[Them(&["Found it, thanks!", "Ah there it is. Thanks {agent}"])]),
        ],
        // Delivery.
        &[
            Us(&[
                "Hi {first}, your {qty} {devices} (order {order}) shipped today and should arrive on {day}. {agent}",
                "Good news {first}: order {order} is on its way, delivery on {day}.",
            ]),
            OneOf(&[
                &[Them(&["Great, thank you!", "Perfect, just in time", "👍"])],
                &[
                    Them(&[
                        "Thanks. Can they leave it at reception?",
                        "Great. Could they come in the morning?",
                    ]),
                    Us(&[
                        "Sure, I've noted it for the carrier.",
                        "I've passed that on, should be no problem.",
                    ]),
                    Maybe(&[Them(&["👍", "Perfect"])]),
                ],
            ]),
        ],
        &[
            Them(&[
                "Still nothing here, order {order}. Should have been {day}?",
                "Hi {agent}, where are our {devices}?",
            ]),
            Us(&[
                "Let me check with the carrier, one moment.",
                "Sorry {first}. Checking.",
            ]),
            Us(&[
                "It's at the depot, new delivery on {day2} before noon.",
                "They'll try again on {day2}. I've asked them to call you first.",
            ]),
            Them(&["Ok thanks", "Alright, {day2} then. Thanks for looking"]),
        ],
        // Sales.
        &[
            Us(&[
                "Hi {first}, I tried to reach you about quote {quote}. Did you have time to read it? {agent}, {us}",
                "Hello {first}, did you have a chance to look at quote {quote}? Happy to explain anything. {agent}",
            ]),
            Them(&[
                "Yes, but I'm in meetings all day. {day} after {time} is good",
                "Yes! Call me {day} at {time}?",
                "Not yet, sorry. End of the week",
            ]),
            Us(&["[Perfect|Great], talk to you then.", "Thanks, no rush."]),
        ],
        &[
            OneOf(&[
                &[
                    Them(&[
                        "Hi, this is {caller}. How much is {plan_up} per seat?",
                        "Hello {agent}, what's the price of {plan_up} again?",
                    ]),
                    Us(&[
                        "Hi {first}, {plan_up} is {price_up} a seat. Want me to send a quote?",
                        "{price_up} per seat and month. I can write you a quote if you like.",
                    ]),
                ],
                &[
                    Them(&[
                        "Quick question, what would {total_seats} seats cost us on {plan}?",
                        "How much would it be for {total_seats} people? {plan}, like now",
                    ]),
                    Us(&[
                        "That's {monthly_total} a month on {plan} for {total_seats} seats, no setup fee. Shall I send that as a quote?",
                    ]),
                ],
            ]),
            Them(&[
                "Yes please",
                "Yes, my boss wants it in writing",
                "That would be great. By email please",
            ]),
            Maybe(&[Us(&["On its way: quote {quote}.", "Will do. Have a nice day!"])]),
        ],
        // A missed call.
        &[
            Us(&[
                "Hi {first}, sorry I missed your call. Is it urgent? {agent}",
                "Hello {first}, I saw you called. I'm free after {time}.",
            ]),
            OneOf(&[
                &[
                    Them(&["Not urgent, call me when you can", "Already solved, thanks!"]),
                    Maybe(&[Us(&[
                        "[Great|Good]. You know where to find me.",
                        "Ok! Have a nice day.",
                    ])]),
                ],
                &[
                    Them(&[
                        "Just wanted to ask about the porting, ticket {ticket}",
                        "It's about {invoice}, I have a billing question",
                    ]),
                    Us(&[
                        "Ok! I'll call you at {time2}.",
                        "Let me have a look, and I'll call you at {time2}.",
                    ]),
                    Maybe(&[Them(&["Perfect, thanks", "Ok 👍"])]),
                ],
            ]),
        ],
        // Porting.
        &[
            Us(&[
                "Good news {first}: your {lines} numbers move on {date2} at {time}. Please don't cancel the old contract before that.",
                "Hi {first}, the porting of your {lines} numbers is confirmed for {date2}. {agent}",
            ]),
            Them(&["Fantastic! Anything we need to do?", "Finally! Thanks"]),
            Us(&[
                "Nothing at all, just keep the phones plugged in.",
                "Nothing to do on your side. I'll text you when it's done.",
            ]),
        ],
        &[Us(&[
            "Done! Your {lines} numbers are with us now. Incoming calls work, please try one. {agent}",
            "Hi {first}, the recording of our meeting and quote {quote} are in your inbox. Best, {agent}",
        ])],
        &[Them(&[
            "Thanks for your help today, {agent}. Much appreciated!",
            "Hi {agent}, please call me when you're back. {first}",
        ])],
    ],
    ours: &[
        "Hi {first}, confirming our [call|meeting] on {day} at {time}. {agent}, {us}",
        "Reminder: your {us} demo is on {day} at {time2}. Reply STOP to opt out.",
        "Hi {first}, I just tried to call you. When's a good time? {agent}",
        "Thanks for your time today {first}! The quote {quote} is in your inbox.",
        "Your order {order} has shipped, delivery expected on {day}. {us}",
        "Ticket {ticket} is solved. If anything comes up, just reply here. {agent}",
        "Hi {first}, your refund of {overcharge} was issued. It takes up to {days} business days.",
        "Hello {first}, invoice {invoice} ({monthly}) is due on {date2}. {agent}, {us}",
        "Hi {first}, your numbers will be ported on {date2} at {time}. Nothing to do on your side.",
        "Maintenance on {day} night, calls may drop for a minute or two. Sorry for the trouble! {us}",
        "Hi {first}, {colleague} will take over while I'm away until {day}. {agent}",
        "Welcome to {us}, {first}! Your setup call is on {day} at {time}. {agent}",
    ],
    theirs: &[
        "Hi {agent}, can you call me back [today|after {time}]? {first}",
        "Running {minutes} minutes late, sorry!",
        "Thanks, got the quote. Will get back to you by {day}.",
        "Is support open on {day}?",
        "Please add {extra} more seats from {date2}. Thanks, {first}",
        "We paid {invoice} on {date}, can you check please?",
        "The {devices} arrived today, thank you!",
        "Can you resend the invitation? I can't find it.",
        "Quick question: can we port our fax number too?",
        "Sorry, can't talk now. What's up?",
        "Who do I talk to about billing? {first} {last}",
        "{day} at {time} works for me",
    ],
};
