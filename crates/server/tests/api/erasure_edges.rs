//! Erasure where it touches somebody else's rights: archived people with the same number, merged people, imports that
//! wait, repeated requests.

use reqwest::Method;
use serde_json::{Value, json};
use trunkline_testkit::app::{Reply, TestApp};
use trunkline_testkit::db::{TestDb, sarah, us};

use crate::crm_import::upload;
use crate::crm_people::PEOPLE;
use crate::support::{assert_error, authorization, searchable, text_in};

trunkline_testkit::on_both! {
    an_archived_persons_history_stays,
    one_who_was_merged_leads_to_the_person,
    the_query_is_part_of_what_a_key_was_sent_for,
    a_file_with_too_many_columns_is_refused,
}

fn sarahs(app: &TestApp) -> String {
    app.office.sarah.to_string().replace("cnt-", "per-")
}

async fn make(app: &TestApp, name: &str, numbers: &Value) -> String {
    let body = json!({ "name": name, "numbers": numbers });
    let made = app.post(PEOPLE, &body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.data()["id"].as_str().unwrap().to_owned()
}

async fn an_archived_persons_history_stays(db: TestDb) {
    let app = searchable(db).await;
    let text = text_in(&app, us(), sarah(), "Hello there").await;
    let path = format!("{PEOPLE}/{}", sarahs(&app));
    assert_eq!(app.delete(&path).await.status, 204);
    let next = make(&app, "Next", &json!([sarah()])).await;
    assert_eq!(
        app.delete(&format!("{PEOPLE}/{next}?erase=true")).await.status,
        204
    );
    assert_error(&app.get(&format!("{PEOPLE}/{next}")).await, "PERSON_NOT_FOUND");
    let back = app.put(&path, &json!({ "archived": false })).await;
    assert_eq!(back.status, 200, "{}", back.text);
    let item = app.get(&format!("/v2/api/conversations/items/{text}")).await;
    assert_eq!(item.data()["content"], "Hello there", "{}", item.text);
    assert_eq!(
        item.data()["contacts"][0]["name"],
        "Sarah Johnson",
        "{}",
        item.text
    );
    app.office.assert_sound().await;
}

async fn one_who_was_merged_leads_to_the_person(db: TestDb) {
    let app = searchable(db).await;
    let text = text_in(&app, us(), sarah(), "Hello there").await;
    let other = make(&app, "Other", &json!(["+14155551399"])).await;
    let path = format!("{PEOPLE}/{}", sarahs(&app));
    let merged = app
        .post(&format!("{path}/merge"), &json!({ "person_id": other }))
        .await;
    assert_eq!(merged.status, 200, "{}", merged.text);
    assert_eq!(
        app.delete(&format!("{PEOPLE}/{other}?erase=true")).await.status,
        204
    );
    assert_error(&app.get(&path).await, "PERSON_NOT_FOUND");
    let item = app.get(&format!("/v2/api/conversations/items/{text}")).await;
    assert_eq!(
        item.data()["content"],
        "",
        "all of it is done when it is answered"
    );
}

async fn the_query_is_part_of_what_a_key_was_sent_for(db: TestDb) {
    let app = searchable(db).await;
    let path = format!("{PEOPLE}/{}", sarahs(&app));
    let own = authorization(&app.key);
    let headers = [("Authorization", own.as_str()), ("Idempotency-Key", "away")];
    let delete = async |path: &str| -> Reply { app.send_with(Method::DELETE, path, &headers, None).await };
    assert_eq!(delete(&path).await.status, 204);
    let replayed = delete(&path).await;
    assert_eq!(
        (replayed.status, replayed.header("idempotency-replayed")),
        (204, "true")
    );
    assert_error(
        &delete(&format!("{path}?erase=true")).await,
        "IDEMPOTENCY_KEY_REUSE",
    );
    assert!(
        app.get(&path).await.data()["archived_at"].is_string(),
        "archived, not erased"
    );
}

async fn a_file_with_too_many_columns_is_refused(db: TestDb) {
    let app = searchable(db).await;
    let columns: Vec<String> = (0..600).map(|number| format!("column_{number}")).collect();
    let refused = upload(&app, "text/csv", &format!("{}\n", columns.join(","))).await;
    assert_error(&refused, "INVALID_REQUEST_BODY");
    assert!(refused.text.contains("600 columns"), "{}", refused.text);
}
