-- A CRL is put together in the order of the serials from this index alone: the certificates beside the entries are not
-- read, and nothing is sorted.

drop index ca_certificate_listed;

create index ca_certificate_listed on ca_certificate (authority, serial) include (crl_entry)
    where crl_entry is not null;

-- Serials and signatures do not get smaller by compression; trying it costs more than signing.
alter table ca_crl alter column der set storage external;
