use std::path::PathBuf;
fn main(){ let dir=PathBuf::from(std::env::args().nth(1).unwrap()); let t=std::time::Instant::now(); let pg=local_postgres::LocalPostgres::start(&dir, local_postgres::Durability::Disposable).unwrap(); println!("{} {:?}", pg.url("postgres"), t.elapsed()); loop{ std::thread::park(); } }
