"""mdm_adapter: messages of ERP, KIS and MDM in and out; it translates and keeps records, and decides nothing."""
