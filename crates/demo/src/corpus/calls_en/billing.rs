//! Invoices, charges and money back, in English.

use crate::corpus::script::Step::{Maybe, Them, Us};
use crate::corpus::script::{Ending, Scenario};
use crate::corpus::tags::Topic;

use super::LOOK_UP;

/// An invoice shows more seats than expected.
pub(super) const BILLING_QUESTION: Scenario = Scenario {
    topic: Topic::BillingQuestion,
    weight: 7,
    inbound: &[Them(&[
        "I have a [quick|] question about invoice {invoice}. It's {monthly_total}, and [we usually pay|it's normally] {monthly}.",
        "I'm looking at our [latest|last] bill, number {invoice}, and I [don't understand|can't make sense of] the amount. We were billed {monthly_total}, but normally it's {monthly}.",
        "It's about our last invoice, {invoice}. [Our bookkeeper flagged it|Accounting sent it back to me]: {monthly_total} instead of {monthly}.",
    ])],
    outbound: &[
        Us(&[
            "I'm calling [you back|] about your [email|message] on invoice {invoice}. You had a billing question?",
            "You [left us a message|wrote to us] about invoice {invoice}, so I thought I'd [just call|give you a ring].",
        ]),
        Them(&[
            "Yes, thanks for calling back. [We were billed|The invoice says] {monthly_total}, and normally it's {monthly}.",
            "Oh, [that was quick|great]. Yes, it's {monthly_total} this time, and we expected {monthly}.",
        ]),
    ],
    body: &[
        LOOK_UP,
        Us(&[
            "[Okay|Right], I have it [in front of me|here]. You're on the {plan} plan at {price} per seat, and the invoice shows {total_seats} seats instead of {seats}.",
            "[So|All right]. The {plan} plan is {price} a seat. Last time you had {seats} seats, and on this bill there are {total_seats}.",
        ]),
        Them(&[
            "{total_seats}? [We didn't add anyone|Nobody new started|That can't be right].",
            "[That's strange|Hm]. As far as I know we have {seats} people on the phones.",
            "So {extra} more than before. Where do they come from?",
        ]),
        Maybe(&[
            Us(&[
                "Do you know if [anyone else|a colleague] has admin rights on {account}?",
                "Is it possible that somebody on your side invited new users?",
            ]),
            Them(&[
                "[Possibly|I'd have to ask], but I don't think so.",
                "Only me and [my boss|our IT person], and [we'd have talked about it|I would know].",
            ]),
        ]),
    ],
    endings: &[
        Ending {
            tags: &["billing", "refund", "resolved"],
            steps: &[
                Us(&[
                    "I see [what happened|the problem]: {extra} test accounts from your trial were never closed and were billed as seats. That's [our mistake|on us].",
                    "Found it. {extra} of those seats are test users from the setup phase. They should never have been billed, sorry about that.",
                ]),
                Them(&[
                    "[Okay|Ah, okay]. So can we get a refund for those?",
                    "I [thought so|knew it]. Do we get that money back?",
                ]),
                Us(&[
                    "[Absolutely|Of course]. I'm refunding {overcharge} to [your card|the card on file], you'll see it within {days} business days.",
                    "Yes. The refund is {overcharge}, and it goes back to [your card|the account you paid from] in about {days} business days.",
                ]),
                Them(&[
                    "[Good|Great]. And the next bill?",
                    "Thanks. Will this happen again next month?",
                ]),
                Us(&[
                    "The next bill [is back to|will be] {monthly}, I've removed the test users. And I'm emailing you a corrected invoice [right now|today].",
                    "The test users are gone, so from now on you'll be billed {monthly} again. A corrected invoice is on its way to you by email.",
                ]),
                Them(&[
                    "[Wonderful|Perfect], [that was easy|thank you for sorting that out].",
                    "Great, that's [exactly what I needed|all I wanted].",
                ]),
            ],
            summary: &[
                "{who} asked why invoice {invoice} came to {monthly_total} instead of the usual {monthly}.",
                "{extra} test accounts from the trial had been billed as seats[ by mistake|].",
                "[{agent} refunded|Refund of] {overcharge} [to the card on file|to the original payment method][|, within {days} business days].",
            ],
            next_step: "corrected invoice [goes out|sent] by email; next bill back to {monthly}.",
            short_summary: "{who} was overbilled on invoice {invoice}; {overcharge} refunded.",
        },
        Ending {
            tags: &["billing", "resolved"],
            steps: &[
                Us(&[
                    "The log [says|shows] that {extra} seats were added on {date} by one of your admins.",
                    "I can see in the history that [someone on your team|a second admin] invited {extra} people on {date}.",
                ]),
                Them(&[
                    "Oh, wait. That must be the [new reception|new sales|weekend] team. [Nobody told me|I had forgotten about them].",
                    "Hold on, {date}... Right, those are our [temps|interns]. [My fault|I should have known].",
                ]),
                Us(&[
                    "[No problem, it happens|That happens a lot]. If you don't need them, I can take them off and the billing adjusts.",
                    "No worries. Shall I take them off again?",
                ]),
                Them(&[
                    "No, [we need them|leave them in]. I just wanted to understand the bill.",
                    "No, let's keep them. Now at least I can explain it to [accounting|my boss].",
                ]),
                Us(&[
                    "Then {monthly_total} is your new monthly amount. Shall I set up an email alert for you whenever a seat is added?",
                    "Okay, so it stays at {monthly_total} per month. I can have the system email you when somebody adds a seat, if you like.",
                ]),
                Them(&[
                    "Yes, please do that.",
                    "That would [be great|help a lot], thanks.",
                ]),
            ],
            summary: &[
                "{who} did not recognize the amount on invoice {invoice} ({monthly_total} instead of {monthly}).",
                "{extra} seats had been added by an admin of theirs on {date}; they want to keep them.",
                "New monthly amount: {monthly_total} for {total_seats} seats.",
            ],
            next_step: "{agent} sets up an email alert for added seats.",
            short_summary: "Higher bill of {who} explained: {extra} seats were added on {date}.",
        },
        Ending {
            tags: &["billing", "refund", "follow_up"],
            steps: &[
                Us(&[
                    "[Honestly|To be honest], I can't tell from here where the {extra} seats come from. I'd rather have our billing team check than guess.",
                    "I don't see who added the {extra} seats, and I don't want to guess. Our billing team can look deeper than I can.",
                ]),
                Them(&[
                    "How long will that take?",
                    "Okay, and when will I hear [back|something]?",
                ]),
                Us(&[
                    "{colleague} will review it and call you by {day}. If it's our mistake, we refund the {overcharge} in full.",
                    "By {day}. {colleague} will call you, and if we got it wrong there'll be a full refund of {overcharge}.",
                ]),
                Them(&[
                    "And do I have to pay this bill [now|in the meantime]?",
                    "Should we [hold|stop] the payment until then?",
                ]),
                Us(&[
                    "You can hold off on it. I'm marking the invoice as disputed, so you won't get [a reminder|any reminders].",
                    "Please wait for {colleague}. I'll note it on the invoice so that no reminder goes out.",
                ]),
                Them(&[
                    "[Okay|All right], that works for me.",
                    "Fine, then I'll wait to hear from {colleague}.",
                ]),
            ],
            summary: &[
                "{who} disputes invoice {invoice}: billed {monthly_total}, expected {monthly}.",
                "Origin of {extra} additional seats could not be found during the call.",
                "Invoice marked as disputed; refund of {overcharge} if the mistake is ours.",
            ],
            next_step: "{colleague} reviews the seats and calls back by {day}.",
            short_summary: "{who} disputes {overcharge} on invoice {invoice}; billing review promised by {day}.",
        },
    ],
};

/// One month was charged twice.
pub(super) const DUPLICATE_CHARGE: Scenario = Scenario {
    topic: Topic::DuplicateCharge,
    weight: 5,
    inbound: &[Them(&[
        "I think you charged us twice. There are two payments of {monthly} on [our card|the company card], both for invoice {invoice}.",
        "I was going through our bank statement, and your bill shows up twice. {monthly}, two times, [on the same day|one day apart].",
        "We've been billed twice this month. Invoice {invoice}, {monthly}, and it [left our account|went through] two times. I'd like a refund for one of them.",
    ])],
    outbound: &[
        Us(&[
            "I'm calling because we noticed something on our side. It looks like invoice {invoice} was charged twice.",
            "I have [your ticket|your message] here about a double charge on invoice {invoice}.",
        ]),
        Them(&[
            "Yes, I [saw|noticed] that. {monthly} two times. [I was going to call you.|What happened there?]",
            "Right, we [found|spotted] that on the card statement. Two times {monthly}.",
        ]),
    ],
    body: &[
        Us(&[
            "[I'm sorry|Sorry] about that. [On which date|When] did the second payment go out?",
            "That's [not good|annoying], sorry. Do you see the date of the second one?",
        ]),
        Them(&[
            "[Let me see|One second]. It was on {date}.",
            "{date}. [Both have your name on them.|]",
        ]),
        LOOK_UP,
    ],
    endings: &[
        Ending {
            tags: &["billing", "refund", "resolved"],
            steps: &[
                Us(&[
                    "You're right. The first attempt timed out, our billing system tried again, and then both went through.",
                    "I can see both payments. There was a timeout with the card processor on {date}, and the system billed you a second time.",
                ]),
                Them(&[
                    "So we get the {monthly} back?",
                    "Okay. Can you refund [one of them|the second one]?",
                ]),
                Us(&[
                    "Yes, [I've just issued the refund|the refund is on its way]. {monthly}, back on your card in {days} business days at the latest.",
                    "Done. I refunded {monthly} just now, and banks usually need up to {days} business days.",
                ]),
                Them(&[
                    "[Great|Good]. Could you send me something in writing? For our books.",
                    "Thanks. I'd need a [credit note|confirmation] for [accounting|the auditor].",
                ]),
                Us(&[
                    "[Sure|Of course], a credit note for {monthly} is in your inbox [in a minute|shortly].",
                    "You'll get the credit note by email, with invoice {invoice} as the reference.",
                ]),
                Them(&["Perfect.", "[Great|Nice], [that's all I need|thank you]."]),
            ],
            summary: &[
                "{who} was charged twice for invoice {invoice} ({monthly} each).",
                "Cause: a timeout at the card processor on {date}, then a second attempt by billing.",
                "[Refund of {monthly} issued|{agent} refunded {monthly}]; credit note sent by email.",
            ],
            next_step: "money back within {days} business days.",
            short_summary: "Double charge of {monthly} for {who} confirmed and refunded.",
        },
        Ending {
            tags: &["billing", "follow_up"],
            steps: &[
                Us(&[
                    "On our side there is only one payment. The second one is [an authorization|just a hold] by your bank that was never collected.",
                    "I see one payment of {monthly} and one reservation that we released again. So you were only billed once.",
                ]),
                Them(&[
                    "But it's gone from our [available balance|account].",
                    "Then why do I see it [twice|on my statement]?",
                ]),
                Us(&[
                    "Banks show reservations like payments. It should drop off by itself within {days} business days, so there is nothing to refund.",
                    "It's blocked, not paid. Usually it disappears after {days} business days, no refund needed.",
                ]),
                Them(&["And if it doesn't?", "What if it's still there next week?"]),
                Us(&[
                    "Then call us, or just reply to the email I'm sending you now. It has the release reference your bank will ask for.",
                    "I'm emailing you the reference number of the release. With that, your bank can remove it right away. And I'll check in with you on {day}.",
                ]),
                Them(&[
                    "Okay, I'll keep an eye on it.",
                    "[Fair enough|All right], let's see.",
                ]),
            ],
            summary: &[
                "{who} reported a double charge for invoice {invoice} over {monthly}.",
                "Only one payment was collected; the second is a card authorization that drops off within {days} business days, so no refund is due.",
            ],
            next_step: "release reference sent by email; customer calls again if the amount is still blocked.",
            short_summary: "Suspected double charge of {who} is a pending authorization over {monthly}.",
        },
    ],
};

/// Devices go back and the money should, too.
pub(super) const REFUND: Scenario = Scenario {
    topic: Topic::Refund,
    weight: 5,
    inbound: &[Them(&[
        "I'd like to ask for a refund. We ordered {qty} {devices}, order {order}, and we don't need them after all.",
        "We want to return some hardware. {qty} {devices} from order {order}. You billed us {devices_total} for them.",
        "It's about order {order}. The {devices} don't [fit our setup|work for our team], so we want to send all {qty} back and get a refund.",
    ])],
    outbound: &[
        Us(&[
            "You [asked|wrote to us] about a refund for order {order}, and I wanted to go through it with you.",
            "I'm following up on your refund request for the {devices}, order {order}.",
        ]),
        Them(&[
            "Yes, {qty} {devices}. We were billed {devices_total}, and they're still in the boxes.",
            "Right. We'd like to return all {qty} of them, the bill was {devices_total}.",
        ]),
    ],
    body: &[
        Us(&[
            "I'm sorry to hear that. May I ask [why|what the reason is]?",
            "[Okay|Sure], [that shouldn't be a problem|we can look at that]. What was wrong with them, if I may ask?",
        ]),
        Them(&[
            "[Nothing wrong with them|They're fine]. [Half the team works from home now|Everyone uses the app anyway], so they just sit on a shelf.",
            "We [bought|ordered] too many, to be honest. People prefer [the app|their laptops].",
            "The office move was [canceled|postponed], and we don't have desks for them.",
        ]),
        LOOK_UP,
    ],
    endings: &[
        Ending {
            tags: &["billing", "refund"],
            steps: &[
                Us(&[
                    "[Good news|Okay, good]: the order is inside the thirty days, so you get the full {devices_total} back.",
                    "You're still within the return period. That means a full refund of {devices_total}.",
                ]),
                Them(&[
                    "[Great|Excellent]. How do we send them?",
                    "Perfect. What do I have to do?",
                ]),
                Us(&[
                    "I'm emailing you a prepaid label. A courier can pick the boxes up on {day}, between {time} and {time2}.",
                    "You'll get a shipping label from me by email. Shall I book the pickup for {day} at {time}?",
                ]),
                Them(&[
                    "{day} [works|is fine].",
                    "{day} is good, someone is always at the front desk.",
                ]),
                Us(&[
                    "And once they're back with us, the refund is on your billing account within {days} business days.",
                    "[Great|Good]. Our billing team pays the refund {days} business days after the boxes arrive.",
                ]),
                Them(&["[That's fair|Sounds good].", "Okay, [thank you|very good]."]),
            ],
            summary: &[
                "{who} returns {qty} {devices} from order {order}, unused.",
                "Within the 30-day return period: full refund of {devices_total} after arrival, {days} business days.",
            ],
            next_step: "prepaid label by email, courier picks up on {day}.",
            short_summary: "{who} returns {qty} {devices}; refund of {devices_total} agreed.",
        },
        Ending {
            tags: &["billing", "refund", "escalated"],
            steps: &[
                Us(&[
                    "I see the order is older than thirty days. Normally billing can't refund hardware after that.",
                    "The thing is, the return period ended on {date}. So I can't approve a refund of {devices_total} by myself.",
                ]),
                Them(&[
                    "[Come on|Really?] We've been a customer for years.",
                    "Hm. They were never even opened. Is there nothing you can do?",
                ]),
                Us(&[
                    "I [understand|get that]. Let me take it to {colleague}, who can make an exception, and you'll have an answer by {day}.",
                    "Let me ask {colleague} for an exception. At the least I'd expect credit on your next bill. You'll hear from us by {day}.",
                ]),
                Them(&[
                    "I'd appreciate that. [Credit on the bill would be okay too.|]",
                    "Okay. Please tell {colleague} they're brand new.",
                ]),
                Us(&[
                    "I'll write that down. Could you send me a photo of the boxes, so it's easier to decide?",
                    "I will. And please [keep the boxes|don't throw the boxes away] until then.",
                ]),
                Them(&["Sure, no problem.", "[Will do|Okay]. Thanks for trying."]),
            ],
            summary: &[
                "{who} wants to return {qty} unused {devices} from order {order} and asked for a refund of {devices_total}.",
                "The return period is over; {agent} asks for an exception or a credit on the next bill.",
            ],
            next_step: "{colleague} decides and answers by {day}.",
            short_summary: "Late refund request of {who} over {devices_total} escalated to {colleague}.",
        },
        Ending {
            tags: &["billing", "refund", "retained"],
            steps: &[
                Us(&[
                    "I can refund the {devices_total}. But may I suggest something? You could swap them for another model, and I'd put {credit} credit on top.",
                    "A refund is possible. Or you keep half for the meeting rooms, and I take {credit} off your next bill for the trouble.",
                ]),
                Them(&[
                    "[Interesting|Hm]. What would we swap them for?",
                    "Go on. What would that look like?",
                ]),
                Us(&[
                    "For people at home there's a lighter model that makes more sense. Same price, we send them first, and you return the others in the same box.",
                    "We send you a mixed set to try for two weeks. What you don't like comes back and we refund it, no questions asked.",
                ]),
                Them(&[
                    "You know what, let's try that.",
                    "That sounds reasonable. Okay, let's do the swap.",
                ]),
                Us(&[
                    "Great. The exchange ships on {day}, and the {credit} credit will be on your next bill.",
                    "[Nice|Perfect]. You'll get it by {day}, and {credit} less on the next bill.",
                ]),
                Them(&[
                    "Thanks, [I like that|that's a good solution].",
                    "Good. [Much better than shipping everything back.|]",
                ]),
            ],
            summary: &[
                "{who} asked for a refund of {devices_total} for {qty} {devices} (order {order}).",
                "Agreed on an exchange instead, with {credit} credit on the next bill.",
            ],
            next_step: "exchange ships by {day}.",
            short_summary: "{who} takes an exchange and {credit} credit instead of a refund for order {order}.",
        },
    ],
};

/// An invoice is overdue.
pub(super) const PAYMENT_REMINDER: Scenario = Scenario {
    topic: Topic::PaymentReminder,
    weight: 4,
    inbound: &[Them(&[
        "I got a reminder for invoice {invoice}, {monthly}, and I'm [a bit|] surprised. I thought it was paid.",
        "You sent us a payment reminder, invoice {invoice} over {monthly}. What's going on there?",
    ])],
    outbound: &[
        Us(&[
            "It's about invoice {invoice} over {monthly}. It's been open for {overdue} days, and I wanted to check that it reached you.",
            "Just a friendly reminder call. Invoice {invoice}, {monthly}, was due {overdue} days ago, and we haven't seen a payment yet.",
        ]),
        Them(&[
            "Oh, really? I thought that was [paid|done].",
            "Hm, invoice {invoice}. [Let me think|I'm not sure]. I'd have said we paid it.",
        ]),
    ],
    body: &[
        Us(&[
            "We usually charge the card automatically, but this time the payment was declined.",
            "On our side it still shows as open. There was one attempt on {date} that didn't go through.",
        ]),
        Them(&[
            "[Strange|That's odd]. Let me check with [accounting|my colleague]. One second.",
            "Let me look it up in our system, hang on.",
        ]),
        Us(&["[Sure|Of course], [no hurry|I'll hold].", "Take your time."]),
    ],
    endings: &[
        Ending {
            tags: &["billing", "payment", "resolved"],
            steps: &[
                Them(&[
                    "Okay, I know what it is. We got a new company card, and the old one expired.",
                    "Ah. The card on file was replaced after [a fraud alert|we lost it].",
                ]),
                Us(&[
                    "That explains it. I can send you a [secure link|payment link] to add the new one.",
                    "[No problem|Got it]. I'll email you a link where you can enter the new card.",
                ]),
                Them(&[
                    "[Yes, please|Please do]. I'll do it right [away|now].",
                    "Good, send it over.",
                ]),
                Us(&[
                    "It's [on its way|in your inbox]. As soon as the card is in, we collect the {monthly} and billing runs by itself again.",
                    "Sent. The {monthly} goes through once you save the card, and there's no late fee.",
                ]),
                Them(&[
                    "[Got it|It's here], [I'm filling it in|just a second]. Done.",
                    "I see the email. I'll take care of it today.",
                ]),
            ],
            summary: &[
                "Invoice {invoice} over {monthly} was overdue because the card on file had expired.",
                "{who} updates the card through a payment link; no late fee.",
            ],
            next_step: "billing collects {monthly} once the card is saved.",
            short_summary: "Overdue invoice {invoice} of {who}: expired card, payment link sent.",
        },
        Ending {
            tags: &["billing", "payment", "follow_up"],
            steps: &[
                Them(&[
                    "Okay, it's approved, but it's waiting for the next payment run. That's on {day}.",
                    "It's in the pile for {day}. Our approvals take a little longer [right now|these days].",
                ]),
                Us(&[
                    "[That's fine|Good]. So we can expect {monthly} shortly after {day}?",
                    "Understood. Then I'll note {day} for the payment.",
                ]),
                Them(&[
                    "Yes, [for sure|definitely]. I'll send you the confirmation.",
                    "Yes. If it doesn't arrive by then, call me [directly|].",
                ]),
                Us(&[
                    "Thank you. I'm pausing the reminders until then, so nothing gets blocked.",
                    "Great, then I'll stop the reminders. Your lines stay active, of course.",
                ]),
                Them(&[
                    "I appreciate that. Sorry for the delay.",
                    "Thanks for being [patient|flexible].",
                ]),
            ],
            summary: &[
                "Invoice {invoice} over {monthly} is overdue; {who} confirmed that it is approved.",
                "Payment comes with the payment run on {day}; reminders are paused until then.",
            ],
            next_step: "check the payment after {day}.",
            short_summary: "{who} promised to pay invoice {invoice} ({monthly}) on {day}.",
        },
        Ending {
            tags: &["billing", "payment", "refund", "follow_up"],
            steps: &[
                Them(&[
                    "So, they tell me we're holding it back. You still owe us a refund of {credit} from the last bill.",
                    "Right. Accounting says there's a refund of {credit} missing, so they didn't release it.",
                ]),
                Us(&[
                    "I see. I have the note here, the {credit} were promised but never deducted from the bill. I'm sorry.",
                    "You're right, the refund was agreed, and it's not on the invoice. My apologies.",
                ]),
                Them(&[
                    "So can you [send|make] a new invoice?",
                    "Okay, how do we [fix that|go on]?",
                ]),
                Us(&[
                    "I'll have billing issue a new one, {credit} lower, and cancel the old one. You'll have it by {day}.",
                    "By {day} you get a corrected bill with the {credit} taken off. Then the reminder is void.",
                ]),
                Them(&[
                    "Then we'll pay it right away.",
                    "[Perfect|Good], then we can release it the same day.",
                ]),
            ],
            summary: &[
                "{who} withholds invoice {invoice} over {monthly}: a promised refund of {credit} had not been deducted.",
                "[Checked and confirmed|The claim is right]; the reminder is void.",
            ],
            next_step: "billing sends a corrected invoice by {day}.",
            short_summary: "Invoice {invoice} of {who} to be corrected by a missing refund of {credit}.",
        },
    ],
};
