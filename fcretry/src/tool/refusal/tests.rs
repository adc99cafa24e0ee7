use super::*;

const REFUSALS: &[&str] = &[
    "I'm sorry, but I can't assist with that request.",
    "I cannot help with placing this order.",
    "I\u{2019}m unable to comply with this request because it is harmful.",
    "Sorry. As an AI, I won't do that.",
    "I must decline.",
    "I can't create content of this kind.",
    "I cannot process this request.",
    "I'm sorry, but I can't.",
    "I apologize, but I cannot fulfill this request.",
    "I am not able to participate in that.",
    "Unfortunately, I can't share personal information about private individuals.",
    "I will not generate such content.",
    "I'm not going to help you with this.",
    "That's not something I can help with.",
    "I refuse to take part in this.",
    "I don't feel comfortable writing that.",
    "I'm not comfortable with this request.",
    "This goes against my guidelines, so no.",
    "Your request violates OpenAI's usage policies.",
    "I can't provide legal advice.",
    "I cannot give instructions for making explosives.",
    "We are unable to assist with orders of this kind.",
    "I WILL NOT HELP WITH THIS.",
    "Thank you for asking. I have to refuse, though.",
    "I won't engage with this topic.",
    "I can't help with that without breaking my rules.",
    "<think>The user wants me to order a weapon.</think>\n\nI'm sorry, I can't help with that.",
    "I can't assist with that. {\"customer\": \"Ann\"}",
    "Es tut mir leid, aber dabei kann ich Ihnen nicht helfen.",
    "Ich kann dieser Bitte leider nicht nachkommen.",
    "Je suis désolé, mais je ne peux pas vous aider avec cela.",
    "Je ne suis pas en mesure de répondre à cette demande.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "Mi dispiace, ma non posso aiutarti con questa richiesta.",
    "Desculpe, mas não posso ajudar com isso.",
    "Het spijt me, maar daar kan ik je niet mee helpen.",
    "Извините, но я не могу помочь с этим запросом.",
    "抱歉，我无法协助处理这个请求。",
    "对不起，我不能帮助您完成这项操作。",
    "申し訳ありませんが、そのご依頼はお手伝いできません。",
    "申し訳ございませんが、ご要望にはお応えできません。",
    "죄송하지만 그 요청은 도와드릴 수 없습니다.",
];

const HARMLESS: &[&str] = &[
    "I can't find a total in the email. What did the items cost?",
    "Sure! The customer is Ann and the total is 12.",
    "I cannot tell which of the two Anns ordered.",
    "I can't create the order without a total. Could you send it?",
    "I cannot find the price in the email to create it.",
    "I can't provide a total, because the email names no price.",
    "Which size would you like?",
    r#"{"note": "I cannot help with that"}"#,
    r#"[{"note": "I cannot help with that"}]"#,
    "",
    "I can't help you until you send the order number.",
    "I cannot complete this order unless the address is known.",
    "I'm unable to help without more details: which shop is it?",
    "I can't help but notice that the total is off by one.",
    "The customer can't do that herself, so she asks for a call.",
    "Can you see the total? I can't.",
    "I couldn't read the second line; is it two mugs?",
    "I will not include tax, as the email does not mention it.",
    "I won't add a teapot: there is none in the email.",
    "The order cannot be completed today, the shop is closed.",
    "The support team can help you with that.",
    "I can help with that! How many mugs?",
    "I can confirm the order: two mugs and a teapot.",
    "No problem, the order of Ann Decline is recorded.",
    "The bank declined the card, please pay again.",
    "He said that he refuses to pay for the broken cup.",
    "Sorry for the wait! Here is the order: two mugs.",
    "Unfortunately the blue mugs are sold out.",
    "I'm sorry, the email does not say how many mugs are wanted.",
    "I cannot imagine a nicer teapot.",
    "I can't calculate the total: one price is missing.",
    "I am not able to see attachments; please paste the text.",
    "<tool_call>{\"note\": \"I cannot help with that\"}</tool_call>",
    "<function=order><parameter=note>I cannot help with that</parameter></function>",
    "<think>I can't do that, it is harmful. No: it is only an order.</think>{\"customer\": \"Ann\"}",
    "<think>I cannot help with that? I can.</think>\nThe customer is Ann.",
    "Order recorded:\n```json\n{\"note\": \"I will not help with that\"}\n```",
    "Ich kann in der Mail keinen Gesamtbetrag finden.",
    "Ohne Bestellnummer geht es nicht: ich kann Ihnen ohne sie nicht helfen.",
    "Gerne! Ich kann Ihnen helfen: wie viele Tassen?",
    "Je ne peux pas trouver le prix dans le message.",
    "No puedo encontrar el total en el correo.",
    "Non posso calcolare il totale: manca un prezzo.",
    "Não encontrei o total no e-mail.",
    "Я не могу найти сумму в письме.",
    "邮件里没有写总价，请问一共多少钱？",
    "我无法从邮件中找到总价。",
    "合計金額が見つかりません。教えてください。",
    "이메일에서 합계를 찾을 수 없습니다.",
];

#[test]
fn refusals_are_heard() {
    let missed: Vec<_> = REFUSALS.iter().filter(|text| !is_refusal(text)).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn prose_about_the_task_is_no_refusal() {
    let alarms: Vec<_> = HARMLESS.iter().filter(|text| is_refusal(text)).collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[test]
fn a_refusal_is_looked_for_where_models_open_with_it() {
    let late = format!("{} I can't help with that.", "The customer is Ann. ".repeat(20));
    assert!(!is_refusal(&late));
    assert!(is_refusal(&format!("I can't help with that. {}", "x".repeat(1 << 20))));
}
