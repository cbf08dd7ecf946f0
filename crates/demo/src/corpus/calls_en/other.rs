//! Hours, partnerships and applications, in English.

use crate::corpus::script::Step::{Maybe, Them, Us};
use crate::corpus::script::{Ending, Scenario};
use crate::corpus::tags::Topic;

/// When somebody can be reached in summer and over the holidays.
pub(super) const OPENING_HOURS: Scenario = Scenario {
    topic: Topic::OpeningHours,
    weight: 3,
    inbound: &[Them(&[
        "Quick question: are you open over the [holidays|summer]?",
        "I wanted to ask about your [summer|holiday] hours. Is support there as usual?",
        "We're planning our vacations. Can you tell me when support is closed?",
    ])],
    outbound: &[
        Us(&[
            "You asked us by email how to set up your [holiday|summer] hours.",
            "I'm calling because your lines will be closed for the holidays soon, and no closing hours are set yet.",
        ]),
        Them(&[
            "Yes, right. We also wanted to know when you are there.",
            "Oh, good point. And are you closed as well?",
        ]),
    ],
    body: &[
        Us(&[
            "Support is there on all weekdays, from {time} on. Only on public holidays there's just the emergency line.",
            "We're here every weekday, with a smaller team. Sales is closed for one week, support isn't.",
        ]),
        Them(&[
            "Good. And the emergency line is for [everybody|all customers]?",
            "Okay, and if something breaks on a public holiday?",
        ]),
        Us(&[
            "For real outages there's an emergency number, for every customer. You find it in the app under “Help”.",
            "If nothing works anymore, any customer can call the emergency number in the app, around the clock.",
        ]),
        Them(&[
            "[Perfect|Great]. The other thing is our own hours. We close early for {weeks} weeks.",
            "Nice. And how do I change our own opening hours? We're only here until {time2} for {weeks} weeks.",
        ]),
        Maybe(&[
            Us(&[
                "Is that for all numbers, or only for some?",
                "For the whole company?",
            ]),
            Them(&[
                "Only for the main number.",
                "For everything except the on-call number.",
            ]),
        ]),
    ],
    endings: &[
        Ending {
            tags: &["support", "general", "resolved"],
            steps: &[
                Us(&[
                    "You can schedule that. Under “Call routing” there's “Special hours”, where you put in the first day, the last day and the times.",
                    "There's a calendar for special hours. Start {date}, end {date2}, open until {time2}, and that's it.",
                ]),
                Them(&[
                    "And callers hear a different message?",
                    "Can we have our own announcement for that time?",
                ]),
                Us(&[
                    "Yes, you record one or type the text, and it's read out.",
                    "Sure. Type what it should say, or record it. After {weeks} weeks everything goes back by itself.",
                ]),
                Them(&[
                    "I've found it. [Great.|] That's simple.",
                    "Oh, nice. Then I don't have to come in from vacation.",
                ]),
            ],
            summary: &[
                "{who} asked about our hours in the vacation period: support on all weekdays, emergency line on public holidays.",
                "Explained special hours for their own number ({weeks} weeks, until {time2}).",
            ],
            next_step: "",
            short_summary: "{who} informed about holiday hours and special opening hours.",
        },
        Ending {
            tags: &["support", "general", "follow_up"],
            steps: &[
                Us(&[
                    "I can set that up for you. Just send me the dates and the text for the announcement.",
                    "Shall I do it for you? I'd need the days and what callers should hear.",
                ]),
                Them(&[
                    "That would be [great|kind]. You'll get the dates by {day}.",
                    "Yes, please. You'll have it by {day}.",
                ]),
                Us(&[
                    "Good. Once it's in, I'll send you a preview of the announcement.",
                    "Perfect. I'll set it up and call the number to test it.",
                ]),
                Them(&["[Great service|Very good], thank you.", "Wonderful."]),
            ],
            summary: &[
                "{who} asked about our hours in the vacation period and wants special hours for {weeks} weeks on their own number.",
                "{agent} sets them up.",
            ],
            next_step: "{first} sends dates and announcement text by {day}.",
            short_summary: "Special hours for {who} to be set up for {weeks} weeks.",
        },
    ],
};

/// Somebody offers a partnership.
pub(super) const PARTNERSHIP: Scenario = Scenario {
    topic: Topic::Partnership,
    weight: 2,
    inbound: &[Them(&[
        "I'm not a customer. We [do the IT|install networks] for about {seats} small companies, and we'd like to [resell|recommend] {us}.",
        "We have about {seats} clients who need a phone system. Do you work with partners?",
    ])],
    outbound: &[
        Us(&[
            "You wrote to us about a partnership, and I'd like to learn more.",
            "I'm calling about your partner application from {date}.",
        ]),
        Them(&[
            "Yes, great. We look after about {seats} small companies.",
            "Right. Several of our clients asked us for a phone system.",
        ]),
    ],
    body: &[
        Us(&[
            "That sounds interesting. What kind of clients are they?",
            "[Great|Nice]. Tell me a bit about them.",
        ]),
        Them(&[
            "[Doctors, lawyers|Workshops, shops], between five and fifty people each.",
            "Mostly offices around here. They call us for everything with a plug.",
        ]),
        Us(&[
            "And would you do the setup, or should we?",
            "Do you see yourselves as the first contact for support?",
        ]),
        Them(&[
            "We'd do the setup and first-line support.",
            "We'd rather just refer them, and you do the rest.",
            "Both would be possible, it depends on the client.",
        ]),
        Us(&[
            "For referrals there's a bonus, and resellers get {discount} on every plan.",
            "Partners get {discount}, and a test account with {extra} seats for free.",
        ]),
        Them(&[
            "{discount} for the whole contract, or only in the first year?",
            "Is there a minimum?",
        ]),
        Us(&[
            "For as long as the client stays. And no minimum.",
            "No minimum, and it doesn't end after the first year.",
        ]),
    ],
    endings: &[
        Ending {
            tags: &["partnership", "meeting_booked"],
            steps: &[
                Them(&[
                    "That sounds good. What's the next step?",
                    "I like it. How do we start?",
                ]),
                Us(&[
                    "A video call with {colleague}, who runs the program. {day} at {time}?",
                    "I'd set up a call with {colleague}. Does {day}, {time2}, suit you?",
                ]),
                Them(&["{day} is good.", "Yes, [that works|put it in]."]),
                Us(&[
                    "You'll get the invitation and the partner agreement to read beforehand.",
                    "[Perfect|Great]. I'll send the agreement along, it's four pages.",
                ]),
                Them(&[
                    "[Great|Excellent], looking forward to it.",
                    "Good, I'll have a look.",
                ]),
            ],
            summary: &[
                "{who} wants to become a partner, looks after about {seats} small companies.",
                "Terms explained: {discount}, no minimum.",
            ],
            next_step: "video call with {colleague} on {day}; agreement sent.",
            short_summary: "Partnership enquiry from {who}; call with {colleague} on {day}.",
        },
        Ending {
            tags: &["partnership", "follow_up"],
            steps: &[
                Them(&[
                    "[Okay|Good]. Can you send me that? I'll talk to my partner.",
                    "I'd like to read the terms first.",
                ]),
                Us(&[
                    "Of course. I'll send the agreement and the price list today.",
                    "Sure, you'll have everything in writing today. May I call you on {day}?",
                ]),
                Them(&[
                    "Yes, on {day} we'll know more.",
                    "Call me on {day}, then we've talked about it.",
                ]),
            ],
            summary: &[
                "{who} asked about reselling for about {seats} clients; {discount} offered.",
                "Wants to read the terms first.",
            ],
            next_step: "agreement sent, {agent} calls on {day}.",
            short_summary: "{who} considers a partnership; call on {day}.",
        },
    ],
};

/// Somebody applies for a job.
pub(super) const JOB_APPLICATION: Scenario = Scenario {
    topic: Topic::JobApplication,
    weight: 2,
    inbound: &[Them(&[
        "I'm calling about the job you posted, for customer support. Is it still open?",
        "I saw that you're looking for somebody in sales. I'd like to apply, and I have a question or two.",
    ])],
    outbound: &[
        Us(&[
            "You applied for the position in support, and I'd like to get to know you a little.",
            "Thank you for your application. I have ten minutes of questions, if that's all right.",
        ]),
        Them(&[
            "Oh, wonderful. I was hoping you'd call.",
            "Sure, great. I'll just close the door.",
        ]),
    ],
    body: &[
        Us(&[
            "[Sure|Happy to]. The position is still open. What do you do at the moment?",
            "Let me tell you right away: it's still open. What's your background?",
        ]),
        Them(&[
            "I work on a service desk, {hours} years now. Phones, email, chat.",
            "I've been in telephone sales for {hours} years, mostly with small businesses.",
        ]),
        Us(&[
            "And why would you like to change?",
            "What made you look for something new?",
        ]),
        Them(&[
            "I'd like to have fewer scripts and more time for the customer.",
            "The company is moving away, and I'm staying.",
        ]),
        Us(&[
            "I understand. When could you start, if it works out?",
            "That makes sense. And from when would you be free?",
        ]),
        Them(&["In {weeks} weeks.", "My notice period is {weeks} weeks."]),
        Maybe(&[
            Us(&[
                "Do you have a question for me?",
                "Is there something you'd like to know?",
            ]),
            Them(&["Is it possible to work from home?", "How big is the team?"]),
            Us(&[
                "Six people, and up to three days a week from home.",
                "We're six, and everyone can work from home up to three days a week.",
            ]),
            Them(&["[Good|That's good] to know.", "Sounds nice."]),
        ]),
    ],
    endings: &[
        Ending {
            tags: &["job_application", "meeting_booked"],
            steps: &[
                Us(&[
                    "That [fits well|sounds good]. I'd like you to meet {colleague}. Are you free on {day} at {time}?",
                    "I think we should talk in person. {day}, {time}, at our office?",
                ]),
                Them(&[
                    "Yes, [gladly|absolutely]. {day} works.",
                    "I'd love to. Do I have to prepare something?",
                ]),
                Us(&[
                    "Just bring yourself. I'll send you the address and an invitation.",
                    "It's a conversation, not an exam. You'll get an invitation by email.",
                ]),
                Them(&[
                    "Great, I'm looking forward to it.",
                    "Thank you, that's wonderful news.",
                ]),
            ],
            summary: &[
                "{name} applies for a job with {hours} years of experience, available in {weeks} weeks.",
                "Interview with {colleague} on {day} at {time}.",
            ],
            next_step: "invitation sent by email.",
            short_summary: "Applicant {name} invited to an interview on {day}.",
        },
        Ending {
            tags: &["job_application", "follow_up"],
            steps: &[
                Us(&[
                    "Then please send me your résumé, and {colleague} gets back to you within {days} days.",
                    "Could you email us your résumé? {colleague} decides whom we invite.",
                ]),
                Them(&[
                    "Sure, to which address?",
                    "I'll do that tonight. Is there a deadline?",
                ]),
                Us(&[
                    "The address is in the posting, and the deadline is {date2}.",
                    "To the address in the job posting, before {date2} if possible.",
                ]),
                Them(&[
                    "Perfect, you'll have it today.",
                    "[All right|Good], I'll send it.",
                ]),
            ],
            summary: &[
                "{name} asked about the open position, {hours} years of experience, available in {weeks} weeks.",
            ],
            next_step: "résumé to be sent before {date2}; {colleague} answers within {days} days.",
            short_summary: "{name} asked about the open position and sends a résumé.",
        },
    ],
};
