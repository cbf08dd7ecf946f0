//! What calls in English are made of.

mod billing;
mod contracts;
mod faults;
mod other;
mod sales;
mod setup;

use super::script::Phrasebook;
use super::script::Step::{self, Hold, Maybe, OneOf, Them, Us};

/// English calls.
pub(super) const PHRASEBOOK: Phrasebook = Phrasebook {
    answer: &[OneOf(&[
        &[
            Us(&[
                "[Thanks|Thank you] for calling {us}, this is {agent}. How can I help?",
                "{us}, {agent} speaking, [good to have you on the line|hello].",
                "Hello, you've reached {us}, my name is {agent}.",
            ]),
            Them(&[
                "[Hi|Hello|Hey] {agent}, [this is|it's] {caller}.",
                "Hi, my name is {caller}. [Do you have a minute?|I hope you can help me.|]",
                "Good to hear a human. {caller} here.",
            ]),
            Us(&[
                "[Hi|Hello] {first}, what can I do for you?",
                "[Nice to hear from you, {first}|Good to hear from you, {first}]. What's [up|going on]?",
                "Hello {first}, [what can I help you with|how can I help]?",
            ]),
        ],
        &[
            Us(&["{us}, {agent} speaking.", "{us}, this is {agent}, hello."]),
            Them(&[
                "[Hi|Hello] {agent}, {caller} [here|calling]. How are you?",
                "Oh hi {agent}, it's {caller}. How are things?",
            ]),
            Us(&[
                "Very well, thanks for asking. [And you|How about yourself], {first}?",
                "Can't complain, thank you. How are you doing, {first}?",
            ]),
            Them(&[
                "[Good, good|Fine, thanks|Busy as always]. [Listen, I|I] need your help with something.",
                "[All good|Doing fine] here. I'm hoping you can help me with something.",
            ]),
            Us(&[
                "[Sure|Of course], go ahead.",
                "I'll do my best. Tell me.",
                "Happy to. What is it?",
            ]),
        ],
    ])],
    dial: &[OneOf(&[
        &[
            Them(&["Hello?", "Yes, hello?", "Hello, who's calling?"]),
            Us(&[
                "[Hi|Hello], {agent} from {us} here. Am I speaking with {first} {last}?",
                "Good day, my name is {agent}, I'm with {us}. Is this {first}?",
            ]),
            Them(&[
                "Yes, [that's me|this is {first}]. What's it about?",
                "Speaking. [How can I help?|What can I do for you?]",
                "This is {first}, yes. Hello {agent}.",
            ]),
        ],
        &[
            Them(&[
                "{first} speaking.",
                "Hello, {first} {last}.",
                "Yes, {first} here.",
            ]),
            Us(&[
                "[Hi|Hello] {first}, this is {agent} [from|at|calling from] {us}. Is now a good time?",
                "Hi {first}, {agent} from {us}. Do you have [a few minutes|a moment|five minutes]?",
            ]),
            Them(&[
                "[Yes|Sure], [I have a few minutes|go ahead|I can talk].",
                "I'm about to go into a meeting, but go ahead.",
                "Oh hi {agent}. Yes, that's fine.",
            ]),
        ],
        &[
            Them(&["{pickup}.", "{pickup}, how can I help?"]),
            Us(&[
                "Good [morning|afternoon], this is {agent} from {us}. Could I speak to {first} {last}, please?",
                "Hello, my name is {agent}, I'm with {us}. I'm looking for {first} {last}.",
            ]),
            Them(&[
                "That's me. What's it about?",
                "You're speaking to {first} already. Go ahead.",
                "Yes, that would be me.",
            ]),
        ],
    ])],
    asides: &[
        &[
            Us(&[
                "Anything else that I can do[ today|]?",
                "Is there something else?",
            ]),
            Them(&[
                "Yes, one more thing. How do I change the greeting on our voicemail?",
                "While I have you: where do I record a new voicemail greeting?",
            ]),
            Us(&[
                "Under “Numbers”, at the very bottom. You can record it or type the text.",
                "In the settings of the number, there's a section for the greeting.",
            ]),
            Them(&["[Ah|Oh], found it. Thanks.", "Okay, I'll try that later."]),
        ],
        &[
            Us(&["Does that answer your question?", "Does that help you?"]),
            Them(&[
                "Yes. And can we block a number? Somebody calls us ten times a day.",
                "It does. We also get a lot of spam calls. Can you do something about those?",
            ]),
            Us(&[
                "Open the caller, and choose “Block”. Those calls don't ring anymore, for nobody on the team.",
                "You can block callers with two clicks, directly in the call list.",
            ]),
            Them(&["That's a relief.", "[Great|Perfect], I'll do that right away."]),
        ],
        &[
            Us(&[
                "Do you have other questions while we're at it?",
                "Okay. Anything else on your list?",
            ]),
            Them(&[
                "Can I take the phone with me when I travel? I'm abroad [next month|for two weeks].",
                "Does the app work from abroad, too?",
            ]),
            Us(&[
                "It does, wherever there's internet. Callers don't notice any difference.",
                "Yes, over Wi-Fi it's like being in the office.",
            ]),
            Them(&["[Nice|Good], that makes it easier.", "Good to know."]),
        ],
        &[
            Us(&[
                "How is everything else going?",
                "And apart from that, is everything running?",
            ]),
            Them(&[
                "It is. The [summaries|call notes] are great, by the way. They save me an hour a day.",
                "Very well. The team likes the app, and that says something.",
            ]),
            Us(&[
                "That's really nice to hear, I'll pass it on.",
                "Thank you, the developers will be happy about that.",
            ]),
            Them(&["Please do.", "They've earned it."]),
        ],
        &[
            Us(&[
                "Is there anything else on your mind?",
                "What else can I do for you?",
            ]),
            Them(&[
                "I was wondering how to hand a call over to a colleague. I keep hanging up by mistake.",
                "Can you tell me how to transfer a call? I always do it wrong.",
            ]),
            Us(&[
                "Press the arrow, pick the colleague, and wait until they answer. Then press it again.",
                "With the arrow button. If you hold it, you can talk to your colleague first.",
            ]),
            Them(&[
                "So that's what the arrow is for.",
                "[Okay|I see], I never noticed that.",
            ]),
            Us(&[
                "Exactly. There's a short video in the help, too.",
                "That's the trick.",
            ]),
            Them(&["I'll show it to the others.", "[Great|Very good]."]),
        ],
        &[
            Us(&[
                "Good. Did you have another question?",
                "Anything else that came up?",
            ]),
            Them(&[
                "Who's our contact at {us} now? It used to be {colleague}.",
                "Do we still have {colleague} as our contact?",
            ]),
            Us(&[
                "For questions like this one, it's me. {colleague} is still there for the contract.",
                "Both of us. You can call whoever picks up first.",
            ]),
            Them(&[
                "[Perfect|All right], I'll save your number.",
                "Good, say hello to {colleague}.",
            ]),
        ],
        &[
            Us(&["Is there more that you need?", "Anything else?"]),
            Them(&[
                "Can we get text messages on our main number? Customers ask for it.",
                "One more: is it possible to text from the office number?",
            ]),
            Us(&[
                "Yes, it's already active. Open a conversation, and write instead of calling.",
                "It is. Everyone who can use the number can also write from it.",
            ]),
            Them(&[
                "Oh, that was easy. I thought it costs extra.",
                "[Great|Super], they'll love it.",
            ]),
        ],
    ],
    wrap_up: &[
        Us(&[
            "Is there anything else I can [do for you|help you with][ today|]?",
            "[Good|All right|Perfect]. Anything else on your side?",
            "Then [I think|] we have everything. Or is there something else?",
        ]),
        Them(&[
            "No, that's [it|all|everything]. [Thanks a lot|Thank you|Thanks for your help], {agent}.",
            "No, [I'm good|we're good], thanks.",
            "That was all. Thank you [very much|].",
        ]),
    ],
    farewell: &[
        Us(&[
            "All right, {first}, have a [great|good|nice] [day|rest of the day].",
            "[Thanks for your time|Thank you], {first}. [Take care|Talk soon|Bye now].",
            "[Great|Good]. Bye, {first}, and thanks.",
        ]),
        Maybe(&[Them(&["Bye.", "You too, bye.", "Thanks, bye bye.", "Take care."])]),
    ],
    scenarios: &[
        &billing::BILLING_QUESTION,
        &billing::DUPLICATE_CHARGE,
        &billing::REFUND,
        &billing::PAYMENT_REMINDER,
        &sales::UPGRADE,
        &sales::DEMO,
        &sales::PROSPECTING,
        &sales::QUOTE,
        &contracts::RENEWAL,
        &contracts::CANCELLATION,
        &setup::ONBOARDING,
        &setup::PORTING,
        &faults::OUTAGE,
        &faults::BUG,
        &faults::DELIVERY,
        &setup::INTEGRATION,
        &other::OPENING_HOURS,
        &other::PARTNERSHIP,
        &other::JOB_APPLICATION,
    ],
};

/// Our side opens the account while the contact waits. It begins with our side and ends in silence, after
/// which our side goes on.
const LOOK_UP: Step = OneOf(&[
    &[
        Us(&[
            "[Okay|Right|Got it]. Give me a second while I open {account}.",
            "[Let me|I'll] pull up {account}. [One moment, please|Just a moment].",
            "Thanks, {first}. Let me have a look at {account}, it will [only|just] take a moment.",
        ]),
        Them(&[
            "Sure.",
            "[Of course|Sure], take your time.",
            "No rush.",
            "Okay, [I'll wait|thanks].",
        ]),
        Hold,
    ],
    &[
        Us(&[
            "I [see|understand]. Can you confirm the email address on {account} for me?",
            "Before I look, are you the admin on {account}?",
        ]),
        Them(&[
            "Yes, [that's still me|I'm the admin]. It's my work address, first name dot last name.",
            "Yes, it's under {first} {last}.",
        ]),
        Us(&["[Perfect|Great|Thank you], [that matches|I found it]. One moment."]),
        Them(&["[Okay|Sure].", "Thanks."]),
        Hold,
    ],
]);
