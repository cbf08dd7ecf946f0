//! Renewing contracts and keeping customers, in English.

use crate::corpus::script::Step::{Maybe, Them, Us};
use crate::corpus::script::{Ending, Scenario};
use crate::corpus::tags::Topic;

use super::LOOK_UP;

/// A contract is about to end.
pub(super) const RENEWAL: Scenario = Scenario {
    topic: Topic::Renewal,
    weight: 4,
    inbound: &[Them(&[
        "Our contract [runs out|ends] soon, and I'd like to know what happens then.",
        "I got an email that our plan renews on {date2}. I'd like to talk about the terms first.",
    ])],
    outbound: &[
        Us(&[
            "Your contract is up for renewal on {date2}, and I'd like to go through it with you before it renews by itself.",
            "It's that time of the year. Your plan renews on {date2}, so I wanted to hear how happy you are.",
        ]),
        Them(&[
            "Good that you call. I had that on my list.",
            "Oh, already? [Time flies.|] Okay, let's talk.",
        ]),
    ],
    body: &[
        Us(&[
            "You're on {plan} with {seats} seats, {monthly} a month, on a yearly contract. How has it been going?",
            "[So|Right], {seats} seats on {plan}, {yearly} a year. Are you happy with it overall?",
        ]),
        Them(&[
            "By and large, yes. [The app is good.|The reports are great.] The desk phones could be better.",
            "Yes, it's been stable. We had [one or two hiccups|one bad day], but support was quick.",
            "It's good. We just don't use all the seats.",
        ]),
        Maybe(&[
            Us(&[
                "Is there a feature that you're missing?",
                "What should we improve, in your view?",
            ]),
            Them(&[
                "Shared inboxes for text messages would be nice.",
                "A better search. Sometimes I need to find an old call.",
            ]),
        ]),
        Us(&[
            "[Good to know|Thanks, I'll pass that on]. And the number of seats, is that still right?",
            "How many people will you have next year?",
        ]),
    ],
    endings: &[
        Ending {
            tags: &["renewal", "won", "pricing"],
            steps: &[
                Them(&[
                    "The same, {seats}. But I'd expect something for another year.",
                    "Still {seats}. Is there a discount for staying?",
                ]),
                Us(&[
                    "If you renew for a year today, I can offer {discount} off. So {monthly_discounted} a month, and you save {saving} over the year.",
                    "For a yearly renewal, {discount}. You'd pay {monthly_discounted} a month instead of {monthly}.",
                ]),
                Them(&[
                    "[That's fair|I like that]. Let's do it.",
                    "{discount}, [okay|good]. Then we're in for another year.",
                ]),
                Us(&[
                    "[Great|Wonderful]. I'll send the renewal for your signature, it starts on {date2}.",
                    "Thank you. The paperwork is a single page, you'll get it by email today.",
                ]),
                Them(&["Good, I'll sign it [today|right away].", "Perfect."]),
            ],
            summary: &[
                "{who} renews {plan} with {seats} seats for one year from {date2}.",
                "{discount} off: {monthly_discounted} a month, saving {saving} a year.",
            ],
            next_step: "renewal sent for signature.",
            short_summary: "{who} renewed for a year with {discount} off.",
        },
        Ending {
            tags: &["renewal", "follow_up"],
            steps: &[
                Them(&[
                    "Fewer. {extra} people left, so {fewer_seats} would be enough.",
                    "We'd need {fewer_seats}. {extra} seats are just empty.",
                ]),
                Us(&[
                    "Then we renew with {fewer_seats}, which makes {monthly_fewer} a month.",
                    "No problem, I'll take {extra} off. That brings it down to {monthly_fewer} per month.",
                ]),
                Them(&[
                    "Good. Can I have that in writing? I need an okay from [finance|above].",
                    "[Fine|All right]. Send it to me and I'll get it approved.",
                ]),
                Us(&[
                    "You'll have it today. The renewal date is {date2}, so it would be good to hear from you by {day}.",
                    "On its way. Shall I call you on {day}, so that we don't miss {date2}?",
                ]),
                Them(&["{day} is fine.", "You'll have it by {day}."]),
            ],
            summary: &[
                "Renewal of {who} due on {date2}: reduce from {seats} to {fewer_seats} seats, {monthly_fewer} a month.",
                "Needs internal approval.",
            ],
            next_step: "written offer today, answer by {day}.",
            short_summary: "{who} will renew with {fewer_seats} seats; approval expected by {day}.",
        },
    ],
};

/// A customer wants to leave.
pub(super) const CANCELLATION: Scenario = Scenario {
    topic: Topic::Cancellation,
    weight: 4,
    inbound: &[Them(&[
        "I'd like to cancel our [plan|subscription], please.",
        "We've decided to cancel. What's the notice period?",
        "I need to close our account. [Who do I talk to?|Can you do that?]",
    ])],
    outbound: &[
        Us(&[
            "We received your cancellation, and I'd like to understand what happened.",
            "You sent us a cancellation on {date}. I'm calling to confirm it, and to ask if there's something we can fix.",
        ]),
        Them(&[
            "Yes, [that's right|we sent that]. It's nothing personal.",
            "Right. The decision is pretty much made.",
        ]),
    ],
    body: &[
        Us(&[
            "I'm sorry to hear that. Would you tell me [why|the reason]?",
            "That's a pity. May I ask what's behind it?",
        ]),
        Them(&[
            "[It's the cost.|Money, mostly.] {monthly} a month is a lot for what we use.",
            "We've become smaller. We pay for {seats} seats, and half of them are idle.",
            "The last outage [hurt us|cost us a day]. After that, we started to look around.",
        ]),
        LOOK_UP,
    ],
    endings: &[
        Ending {
            tags: &["cancellation", "churn_risk", "retained"],
            steps: &[
                Us(&[
                    "I see {seats} seats, but only {fewer_seats} made calls last month. What if we cut it to those, and I add {discount} off for half a year?",
                    "Before you go: {extra} of your {seats} seats weren't used at all. I'd take them off and give you {discount} on the rest.",
                ]),
                Them(&[
                    "[Hm|Interesting]. What would that come to?",
                    "And there's no new contract for two years attached to it?",
                ]),
                Us(&[
                    "It would be below {monthly_fewer} a month, and you can leave any month you like.",
                    "No strings attached. Less than {monthly_fewer} a month, cancel whenever you want.",
                ]),
                Them(&[
                    "Okay. That's different. Let's try it for half a year.",
                    "If that's so, we can stay for now.",
                ]),
                Us(&[
                    "Thank you for the chance. I'm changing it right now, and I'll check in with you in {weeks} weeks.",
                    "[Great|I'm glad]. The change is effective immediately, and you'll have it in writing today.",
                ]),
                Them(&[
                    "All right. Thanks for not making it complicated.",
                    "Good. Let's see how it goes.",
                ]),
            ],
            summary: &[
                "{who} called the subscription into question ({seats} seats, {monthly} a month).",
                "Stays with {fewer_seats} seats and {discount} off for six months, cancelable monthly.",
            ],
            next_step: "{agent} checks in after {weeks} weeks.",
            short_summary: "{who} wanted to cancel and stays with {fewer_seats} seats and {discount} off.",
        },
        Ending {
            tags: &["cancellation", "billing", "refund"],
            steps: &[
                Us(&[
                    "I could offer you {discount} off for the next months. Would that help?",
                    "Is there anything we could do, say, a smaller plan or {discount} off?",
                ]),
                Them(&[
                    "No, thank you. It's decided. But we paid ahead, {prepaid_months} months are still open. Do we get a refund?",
                    "I appreciate it, but no. What about the {prepaid_months} months we've been billed in advance?",
                ]),
                Us(&[
                    "You get those {prepaid_months} months back, of course. Billing pays the refund once the account is closed.",
                    "Yes, unused months are refunded in full. The final bill shows {prepaid_months} months as a credit.",
                ]),
                Them(&[
                    "Good. And our numbers?",
                    "Okay. Can we take our {lines} numbers with us?",
                ]),
                Us(&[
                    "They're yours. Start the porting at your new provider first, then we close the account on {date2}.",
                    "Yes. Please don't let us close before they are ported. I'd suggest {date2} as the last day.",
                ]),
                Them(&[
                    "{date2}, okay. Please confirm that by email.",
                    "That works. Send me a confirmation, please.",
                ]),
            ],
            summary: &[
                "{who} cancels; {discount} off was declined.",
                "{prepaid_months} prepaid months are refunded with the final bill.",
                "Last day is {date2}, after the {lines} numbers are ported away.",
            ],
            next_step: "written confirmation by email, refund by billing after closing.",
            short_summary: "{who} cancels on {date2}; refund of {prepaid_months} prepaid months.",
        },
        Ending {
            tags: &["cancellation", "churn_risk", "escalated"],
            steps: &[
                Us(&[
                    "Would you give me until {day}? I'd like {colleague} to look at it, who has more room for offers than I do.",
                    "I'd hate to lose you over this. May {colleague} call you on {day} with a proposal?",
                ]),
                Them(&[
                    "You can try, but I can't promise anything.",
                    "[Fine|All right]. One call. If it's not convincing, we leave.",
                ]),
                Us(&[
                    "That's fair. I'll note your cancellation as of today, so you don't lose any time.",
                    "Thank you. The notice period runs from today in either case.",
                ]),
                Them(&[
                    "Good, that was my worry.",
                    "Okay, then I'll wait for the call on {day}.",
                ]),
            ],
            summary: &[
                "{who} wants to cancel ({seats} seats on {plan}).",
                "Notice recorded as of today; open to one last proposal.",
            ],
            next_step: "{colleague} calls on {day} with an offer.",
            short_summary: "Cancellation of {who} escalated; {colleague} calls on {day}.",
        },
    ],
};
