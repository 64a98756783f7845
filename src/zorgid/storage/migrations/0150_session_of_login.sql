-- Which login a session came of: its app may ask after it and end it when the card is pulled (room: login).

alter table session add column transaction_id uuid;

create index session_of_login on session (transaction_id) where transaction_id is not null;
