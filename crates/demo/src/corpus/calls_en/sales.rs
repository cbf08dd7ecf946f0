//! Finding and winning customers, in English.

use crate::corpus::script::Step::{Maybe, OneOf, Them, Us};
use crate::corpus::script::{Ending, Scenario};
use crate::corpus::tags::Topic;

use super::LOOK_UP;

/// A customer asks about a larger plan.
pub(super) const UPGRADE: Scenario = Scenario {
    topic: Topic::Upgrade,
    weight: 6,
    inbound: &[Them(&[
        "We're on the {plan} plan, and I'd like to know what {plan_up} would cost [us|for our team].",
        "We're growing a bit, and I'm wondering if we should move from {plan} to {plan_up}. What's the pricing?",
        "I was on your pricing page, and I have some questions about the {plan_up} plan.",
    ])],
    outbound: &[
        Us(&[
            "I saw that your team [hit|reached] the limits of the {plan} plan [twice|a few times] this month, so I wanted to check if it still fits.",
            "You opened the {plan_up} page in the app the other day. I thought I'd offer to answer questions before you have to search for them.",
        ]),
        Them(&[
            "[Yes, actually.|Good timing.] We've been talking about {plan_up}. What would it cost us?",
            "Right, I was looking at that. I just don't know if it's worth the price.",
        ]),
    ],
    body: &[
        LOOK_UP,
        Us(&[
            "You have {seats} seats at {price}, so {monthly} a month. {plan_up} is {price_up} a seat, which makes {monthly_up}.",
            "[So|Okay]. For your {seats} seats it would be {monthly_up} a month instead of {monthly}, that's {difference} more.",
        ]),
        Them(&[
            "[Hm|Okay], {difference} more. What do we get for it?",
            "That's [quite a jump|not nothing]. What's in {plan_up} that we don't have?",
        ]),
        Us(&[
            "The three things people notice: call recording for everyone, summaries after each call, and the [CRM connection|phone menu with more than one level].",
            "Mostly analytics per user, recordings you can keep for a year instead of a month, and live coaching for new hires.",
        ]),
        Them(&[
            "The recordings are [what we need|the main thing]. [Our sales lead keeps asking for them.|]",
            "We'd mostly use it for training. We have {extra} new people starting.",
        ]),
        Maybe(&[
            Us(&[
                "How do you handle [training|new people] today?",
                "Do you record calls at all at the moment?",
            ]),
            Them(&[
                "[Badly|Not really]. People sit next to each other and listen in.",
                "Somebody takes notes in a spreadsheet. When they remember.",
            ]),
        ]),
    ],
    endings: &[
        Ending {
            tags: &["upgrade", "pricing", "won"],
            steps: &[
                Us(&[
                    "If you pay yearly, I can take {discount} off.",
                    "There's a yearly option with {discount} off, by the way.",
                ]),
                Them(&[
                    "[Okay|Good], and how fast can we switch?",
                    "What happens with the rest of this month?",
                ]),
                Us(&[
                    "The switch takes a minute. We only bill the difference for the rest of the month.",
                    "I can change it right now, and what you've paid for this month counts toward it.",
                ]),
                Them(&[
                    "Then let's do it. Monthly for now.",
                    "All right, go ahead. We stay with monthly payment.",
                ]),
                Us(&[
                    "[Great|Wonderful]. Your {seats} seats are on {plan_up} from now on. Recording is off by default, I'll send you the guide.",
                    "Done, you're on {plan_up}. I'll email you the new price, {monthly_up} per month, and how to turn on recording.",
                ]),
                Them(&["[That was painless|Very nice].", "Perfect, [thanks|thank you]."]),
            ],
            summary: &[
                "{who} upgraded {seats} seats from {plan} to {plan_up}, mainly for call recording.",
                "New monthly amount: {monthly_up} (was {monthly}), monthly payment.",
                "Yearly payment with {discount} off was offered and not taken for now.",
            ],
            next_step: "{agent} sends the recording guide and the price confirmation.",
            short_summary: "{who} upgraded {seats} seats to {plan_up} at {monthly_up} per month.",
        },
        Ending {
            tags: &["upgrade", "pricing", "follow_up"],
            steps: &[
                Us(&[
                    "I could [put that|write that up] in a quote for you. With yearly payment there's {discount} off, too.",
                    "Would a written offer help? I can include {discount} off for yearly payment.",
                ]),
                Them(&[
                    "Yes, [send me that|please]. I have to run it by my [boss|partner] first.",
                    "That would help. It's not my decision alone.",
                ]),
                Us(&[
                    "[Sure|Of course]. You'll have quote {quote} [today|within the hour]. When do you two talk about it?",
                    "I'll send it as quote {quote}. When is a good time to check back?",
                ]),
                Them(&[
                    "[Probably|Most likely] by {day}.",
                    "We have our meeting on {day}, so after that.",
                ]),
                Us(&[
                    "Then I'll call you on {day} [in the afternoon|at {time2}].",
                    "Good, I'll put a call in my calendar for {day}, {time2}.",
                ]),
                Them(&["[That works|Sounds good].", "Okay, talk to you then."]),
            ],
            summary: &[
                "{who} considers moving {seats} seats from {plan} to {plan_up}: {monthly_up} instead of {monthly} a month.",
                "Interested in recording and training. The decision is not {first}'s alone.",
                "Quote {quote} with {discount} off for yearly payment.",
            ],
            next_step: "{agent} calls on {day}.",
            short_summary: "{who} gets quote {quote} for {plan_up}; follow-up on {day}.",
        },
        Ending {
            tags: &["pricing", "not_interested"],
            steps: &[
                Us(&[
                    "I understand. Would recording for just a few seats do? You can mix plans.",
                    "You could also move only the people in training. {extra} seats instead of {seats}.",
                ]),
                Them(&[
                    "Honestly, we can't spend more this quarter.",
                    "Hm. I think we'll leave it for now, the budget is fixed.",
                ]),
                Us(&[
                    "That's okay. Nothing changes then, you stay at {monthly} a month.",
                    "No problem at all. {plan} stays as it is, and the price does, too.",
                ]),
                Them(&[
                    "But good to know that mixing is possible.",
                    "Maybe we'll look at it again next quarter.",
                ]),
            ],
            summary: &[
                "{who} asked for the price of {plan_up} ({monthly_up} instead of {monthly} a month for {seats} seats).",
                "No budget this quarter; the team stays on {plan}. Mixed plans were mentioned.",
            ],
            next_step: "",
            short_summary: "{who} stays on {plan} for now; {plan_up} is over budget.",
        },
    ],
};

/// An appointment for a demonstration.
pub(super) const DEMO: Scenario = Scenario {
    topic: Topic::Demo,
    weight: 6,
    inbound: &[Them(&[
        "I saw {us} [online|at a trade fair], and I'd like to [book|see] a demo.",
        "We're looking for a new phone system, about {seats} people. Could somebody show us yours?",
        "A friend of mine uses {us} and keeps talking about it. Can we get a demo?",
    ])],
    outbound: &[
        Us(&[
            "You [requested|asked for] a demo on our website, so I'd like to find a time with you.",
            "You filled in our form about a demo. I have two or three questions, and then we pick a time.",
        ]),
        Them(&[
            "Yes, right. We're comparing a few phone systems.",
            "[Great|Oh good], that was fast. Yes, we'd like to see it.",
        ]),
    ],
    body: &[
        Us(&[
            "[Happy to|With pleasure]. So that we show you the right things: how many people [make calls|are on the phone] at your place?",
            "[Great|Good]. Tell me a bit about your team first. How many of you are there?",
        ]),
        Them(&[
            "We're {seats}, [most of them|about half] in customer service.",
            "About {seats}. A few in sales, the rest answers customers.",
        ]),
        Us(&["And what do you use today?", "What are you on at the moment?"]),
        Them(&[
            "An old system in a closet that [nobody dares to touch|only one person understands].",
            "[Cell phones, mostly|Everybody uses their own cell phone]. It's [a mess|getting out of hand].",
            "Something from our internet provider. It works, but that's about it.",
        ]),
        Us(&[
            "What's the [first|main] thing that should get better?",
            "If you could fix one thing, what would it be?",
        ]),
        Them(&[
            "We miss calls, and nobody knows who called back. [That costs us money.|]",
            "I'd like to see [how many calls we get|who's on the phone], and when.",
            "That calls end up in our CRM. We use {crm}, and today everything is typed by hand.",
        ]),
        Maybe(&[
            Us(&[
                "Will it be only you, or does somebody else want to see it?",
                "Who else should be in the demo?",
            ]),
            Them(&[
                "[My colleague from IT|Our IT person] should join.",
                "I'd bring our head of support, and maybe the owner.",
            ]),
        ]),
    ],
    endings: &[
        Ending {
            tags: &["demo_scheduled", "meeting_booked", "qualified", "prospect"],
            steps: &[
                Us(&[
                    "That's [exactly what|something] we can show you. It takes {minutes} minutes. How about {day} at {time}?",
                    "[Good|Perfect], then I know what to prepare. Would {day} at {time} work?",
                ]),
                Them(&[
                    "{day}... no, that's taken. {day2}?",
                    "In the morning I'm busy. What about {day2}?",
                ]),
                Us(&["{day2} at {time2} is free.", "Yes, {day2}, {time2}?"]),
                Them(&["[Perfect|Great], let's take that.", "{time2} is good."]),
                Us(&[
                    "[Great|Wonderful]. You'll get an invitation with the video link. Feel free to forward it.",
                    "I'm sending you the invitation right now. {colleague} will run the demo, and I'll be there too.",
                ]),
                Them(&[
                    "[Got it|I see it], thanks. Looking forward to it.",
                    "[Great|Super], see you on {day2}.",
                ]),
            ],
            summary: &[
                "{who} looks for a phone system for about {seats} people.",
                "Demo booked for {day2}, {time2}[ (video, {minutes} minutes)|].",
            ],
            next_step: "invitation sent; {colleague} prepares the demo.",
            short_summary: "Demo with {who} booked for {day2} at {time2}.",
        },
        Ending {
            tags: &["prospect", "follow_up", "qualified"],
            steps: &[
                Us(&[
                    "Understood. I could do {day} at {time}, or {day2} at {time2}.",
                    "Shall we take {day}, {time}? Or later in the week?",
                ]),
                Them(&[
                    "I have to check with the others first. Can you send me both?",
                    "I don't have everyone's calendar here. Can I pick a time online?",
                ]),
                Us(&[
                    "[Of course|Sure]. I'm sending you my booking link, and you choose whatever suits all of you.",
                    "Yes, there's a link for that. I'll email it together with a short overview.",
                ]),
                Them(&[
                    "Good. And roughly, what does it cost?",
                    "Great. One more thing, what price range are we talking about?",
                ]),
                Us(&[
                    "For {seats} people on {plan}, {monthly} a month. No setup fee.",
                    "{plan} is {price} per seat and month, so around {monthly} for all of you.",
                ]),
                Them(&[
                    "[Okay|All right], that's within reach. I'll get back to you.",
                    "That's [fine|okay]. You'll hear from me by {day}.",
                ]),
            ],
            summary: &[
                "{who} wants a demo for about {seats} people, but has to coordinate with colleagues.",
                "Price indication given: {monthly} a month on {plan}.",
            ],
            next_step: "booking link sent; call again if no time is chosen by {day}.",
            short_summary: "{who} wants a demo and picks a time through the booking link.",
        },
    ],
};

/// A cold call.
pub(super) const PROSPECTING: Scenario = Scenario {
    topic: Topic::Prospecting,
    weight: 8,
    inbound: &[],
    outbound: &[
        Us(&[
            "We haven't spoken before, so I'll be [brief|quick]. We help teams like yours to stop missing calls.",
            "I'll be honest, this is a cold call. Can I have thirty seconds to tell you why I picked [your company|you], and you decide if we go on?",
            "I'm calling because you're hiring people for the front desk. That usually means the phones are ringing a lot.",
        ]),
        Them(&[
            "[Okay|Fine], thirty seconds.",
            "[Hm|Well]. We get a lot of these calls. What is it you do?",
            "Go on, but I don't have much time.",
        ]),
    ],
    body: &[
        Us(&[
            "{us} is a phone system in the browser. Calls are shared, everybody sees who called back, and each call gets a summary.",
            "We replace the old phone system: shared numbers, a proper call history, and a summary of every conversation in your CRM.",
        ]),
        Them(&[
            "We have something like that. [It does what it has to.|]",
            "And what's different from what we have?",
            "Our phones work fine, to be honest.",
        ]),
        Us(&[
            "[I hear that a lot|Fair enough]. How do you find out today that a call was missed and nobody called back?",
            "May I ask how many calls you miss in a week? Most people don't know, and that's [the point|what we look at first].",
        ]),
        Them(&[
            "[Good question|Hm]. I couldn't tell you.",
            "We don't, really. [The customer calls again, or not.|]",
            "There's a list somewhere, but nobody looks at it.",
        ]),
    ],
    endings: &[
        Ending {
            tags: &["prospect", "qualified", "meeting_booked"],
            steps: &[
                Us(&[
                    "Then let me suggest something small. {minutes} minutes on {day}, I show you how that looks, and you tell me if it's worth more.",
                    "I could show you on the screen, {minutes} minutes, no slides. Would {day} at {time} suit you?",
                ]),
                Them(&[
                    "{minutes} minutes, not more? All right.",
                    "[Okay|Fine]. But {day} only works after {time}.",
                ]),
                Us(&[
                    "[I promise|I'll set a timer]. {day}, {time2}? And where may I send the invitation?",
                    "Then {day} at {time2}. Which email address should I use?",
                ]),
                Them(&[
                    "{time2} is fine. Use my first name at our domain.",
                    "{time2} it is. Use the address on our website, [that one reaches me|it comes to me].",
                ]),
                Us(&[
                    "Great. How many people would be using it, roughly?",
                    "Thank you. Just so I prepare the right thing, how big is the team?",
                ]),
                Them(&["Around {seats}.", "We're {seats} at the moment."]),
            ],
            summary: &[
                "Cold call to {who}, about {seats} users. No view of missed calls today.",
                "Meeting booked for {day}, {time2}, {minutes} minutes.",
            ],
            next_step: "invitation by email; {agent} prepares a short screen demo.",
            short_summary: "Cold call: {who} agreed to a meeting on {day} at {time2}.",
        },
        Ending {
            tags: &["prospect", "callback"],
            steps: &[
                Us(&[
                    "Would it be worth a look?",
                    "Would you be open to seeing how others solve that?",
                ]),
                Them(&[
                    "Maybe, but not now. We're [in the middle of an office move|closing the quarter]. Call me in {weeks} weeks.",
                    "Not this month. Try me again in {weeks} weeks.",
                ]),
                Us(&[
                    "I'll do that. Is there a time of day that's better, and should I ask for you?",
                    "Sure. When can I reach you best, and are you the right person for this?",
                ]),
                Them(&[
                    "Mornings, and ask for me directly, it's my decision.",
                    "Best before noon. And yes, I'm the one who decides that.",
                ]),
                Us(&[
                    "Noted, {weeks} weeks from now, in the morning. May I send you a one-page overview until then?",
                    "Good. I'll send a short email so you have my name, and call in {weeks} weeks.",
                ]),
                Them(&["Yes, [that's fine|go ahead].", "If it's really one page, sure."]),
            ],
            summary: &[
                "Cold call to {who}. Some interest, but not now.",
                "Call again in {weeks} weeks, in the morning; {first} decides.",
            ],
            next_step: "overview by email, then a call in {weeks} weeks.",
            short_summary: "{who} asked to be called again in {weeks} weeks.",
        },
        Ending {
            tags: &["prospect", "not_interested"],
            steps: &[
                Us(&[
                    "Would you like to see how that can look?",
                    "Could that be something for this year?",
                ]),
                Them(&[
                    "No, honestly not. We signed with somebody for two years [just recently|in the spring].",
                    "I don't think so. We just renewed our contract.",
                ]),
                Us(&[
                    "Then there's no point in insisting. Can I ask when that runs out?",
                    "Understood, and thank you for saying it straight. May I get in touch when it ends?",
                ]),
                Them(&[
                    "You can try in a year or so.",
                    "Please just take us off the list for now.",
                ]),
                Us(&[
                    "I'll note that. Thanks for hearing me out.",
                    "[Will do|Of course]. Thank you for your time.",
                ]),
                Them(&["[Sure|No problem]. Good luck with the calls.", "All right."]),
            ],
            summary: &["Cold call to {who}: bound to another provider by a new contract, no interest."],
            next_step: "",
            short_summary: "{who} is not interested; contract with another provider.",
        },
    ],
};

/// A quote waits for an answer.
pub(super) const QUOTE: Scenario = Scenario {
    topic: Topic::Quote,
    weight: 5,
    inbound: &[Them(&[
        "You sent us a quote, number {quote}, and I have a few questions [before we sign|about it].",
        "I'm calling about quote {quote}. We've [looked at it|gone through it], and there's something I'd like to clear up.",
    ])],
    outbound: &[
        Us(&[
            "I sent you quote {quote} {days} days ago and wanted to hear what you think.",
            "I'm following up on quote {quote}. Did you have time to look at it?",
        ]),
        Them(&[
            "Yes, I have it here somewhere. [We do have a question or two.|]",
            "Oh, the quote. Yes, we talked about it [on {day}|yesterday]. There are some open points.",
        ]),
    ],
    body: &[
        Us(&[
            "[Sure|Good], I have it open. {seats} seats on {plan}, {monthly} a month.",
            "Let me open it. So that's {plan} for {seats} people, {monthly} per month. What's your question?",
        ]),
        OneOf(&[
            &[
                Them(&["First, is number porting included? We have {lines} numbers."]),
                Us(&[
                    "It is, for all {lines} of them.",
                    "Yes, porting is free, however many numbers you bring.",
                ]),
            ],
            &[
                Them(&["Are the {devices} in there, or do they come on top?"]),
                Us(&[
                    "They come on top, {device_price} each. But you don't need any to start, the app is enough.",
                    "They're optional, {device_price} apiece. Most teams start with the app.",
                ]),
            ],
            &[
                Them(&["What if we have fewer people next year, can we go down?"]),
                Us(&[
                    "Yes, seats go up and down every month, as you need them.",
                    "Any time. You only pay for the seats you have that month.",
                ]),
            ],
        ]),
        Them(&[
            "[Okay|Good]. The other thing is the price. We have an offer that's lower.",
            "And the price, to be frank, is a bit above what we had in mind.",
        ]),
        Maybe(&[OneOf(&[
            &[
                Us(&[
                    "May I ask how far apart we are?",
                    "How big is the difference, if I may ask?",
                ]),
                Them(&["Around {overcharge} a month.", "About {overcharge}, all in all."]),
            ],
            &[
                Us(&["Do you know if support is included in the other offer?"]),
                Them(&[
                    "I don't think so. [That's a fair point.|]",
                    "I'd have to look. They didn't mention it.",
                ]),
            ],
        ])]),
    ],
    endings: &[
        Ending {
            tags: &["quote", "pricing", "won"],
            steps: &[
                Us(&[
                    "If you can decide this week, I'm able to go down by {discount}. That makes {monthly_discounted} a month.",
                    "What I can do is {discount} off for the first year, so {monthly_discounted} a month.",
                ]),
                Them(&[
                    "{monthly_discounted}... [that's closer|okay]. For all {seats}?",
                    "With {discount} off we'd have a deal.",
                ]),
                Us(&[
                    "That would be for all {seats} seats. I'd send you the new version, and you sign it online.",
                    "For all of you. The updated quote is there in ten minutes, with a button to sign.",
                ]),
                Them(&[
                    "Send it over, and I'll sign it today.",
                    "All right. I'll sign as soon as it's here.",
                ]),
                Us(&[
                    "[Wonderful|Great], welcome aboard. {colleague} will call you on {day} for the setup.",
                    "Thank you, I'm really happy about that. {colleague} gets in touch on {day} to plan the start.",
                ]),
                Them(&["Looking forward to it.", "Great, [thanks|that's quick]."]),
            ],
            summary: &[
                "{who} accepts quote {quote}: {seats} seats on {plan}, {discount} off, {monthly_discounted} a month.",
                "Updated version is signed online today.",
            ],
            next_step: "{colleague} calls on {day} to plan the setup.",
            short_summary: "{who} accepted quote {quote} at {monthly_discounted} per month.",
        },
        Ending {
            tags: &["quote", "pricing", "follow_up"],
            steps: &[
                Us(&[
                    "I can't promise anything, but let me ask about {discount}.",
                    "Let me talk to {colleague}. I think {discount} might be possible with a yearly contract.",
                ]),
                Them(&[
                    "That would help. We decide on {day}.",
                    "Please do. I have to give an answer to the others by {day}.",
                ]),
                Us(&[
                    "You'll have an answer before {day}, promised. By email?",
                    "I'll get back to you before that. Is email all right?",
                ]),
                Them(&["Yes, email is best.", "[Fine|Good]. Just call if it's quicker."]),
            ],
            summary: &[
                "{who} has a lower competing offer to quote {quote} ({seats} seats on {plan}, {monthly} a month).",
                "Asked for a discount; {agent} checks {discount} with {colleague}.",
            ],
            next_step: "revised offer by email before {day}.",
            short_summary: "{who} wants a better price on quote {quote}; decision on {day}.",
        },
        Ending {
            tags: &["quote", "not_interested"],
            steps: &[
                Us(&[
                    "I understand. With {discount} off we'd be at {monthly_discounted}. Would that change anything?",
                    "The best I can do is {discount}. Is that enough?",
                ]),
                Them(&[
                    "I'm afraid not. We'll [stay|go] with the other offer.",
                    "It's nice of you, but no. The decision has been made, more or less.",
                ]),
                Us(&[
                    "Thanks for telling me. Is it just the price, or did we miss something?",
                    "That's a pity, but thanks for being open. What tipped the scale?",
                ]),
                Them(&[
                    "It's the price, and they're around the corner.",
                    "Mainly that we already work with them for the internet line.",
                ]),
                Us(&[
                    "[Understood|That makes sense]. I'll close the quote, and you can always come back to me.",
                    "Okay. If anything doesn't work out, you have my number.",
                ]),
                Them(&[
                    "[I'll remember that|Will do]. Thanks for the effort.",
                    "Thank you, and sorry.",
                ]),
            ],
            summary: &[
                "{who} declines quote {quote} ({monthly} a month), also with {discount} off.",
                "Reason: price and an existing relationship with the other provider.",
            ],
            next_step: "",
            short_summary: "Quote {quote} for {who} lost to another provider.",
        },
    ],
};
