-- What is personal in a making goes when it has been over for two days; of a card that was made it stays known with
-- which UZI certificate (CARD-16).

alter table issuance
    alter column app_x drop not null,
    alter column app_y drop not null,
    alter column proved drop not null,
    add column made_with_issuer bytea,
    add column made_with_serial bytea check (octet_length(made_with_serial) between 1 and 20),
    add check (proved is not null or step in ('done', 'failed')),
    add check ((proved is null) = (app_x is null) and (proved is null) = (app_y is null)),
    add check ((made_with_issuer is null) = (made_with_serial is null));

comment on column issuance.made_with_issuer is 'the distinguished name, DER';

create index issuance_to_forget on issuance (finished_at) where finished_at is not null and proved is not null;
