//! Which images, and that they are the same everywhere.

use std::collections::BTreeMap;

use crate::yaml::text;
use crate::{OURS, all, assert_none, compose};

#[test]
fn every_image_is_pinned() {
    let images = all().into_iter().map(|it| (it.name, it.image));
    let file = crate::yaml::document(compose::FILE);
    let build = file["services"]["gateway"]["build"]["args"]
        .as_object()
        .unwrap();
    // It is nothing, and has no versions.
    let bases = build
        .iter()
        .map(|(name, image)| (name.clone(), compose::default(image)));
    let bases = bases.filter(|(_, image)| image != "scratch");
    let floating = images.chain(bases).filter(|(_, image)| {
        let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
        // Of a major or minor version there will be others by the same tag.
        let is_exact = tag.split('-').next().unwrap().split('.').count() >= 3;
        !image.contains("@sha256:") && !is_exact
    });
    let floating = floating.map(|(name, image)| format!("{name}: {image}"));
    assert_none(&floating.collect::<Vec<_>>());
}

#[test]
fn every_image_of_compose_is_replaceable() {
    let fixed = compose::workloads().into_iter().filter(|it| {
        let image = text(&it.text["image"]);
        !(image.starts_with("${") && image.ends_with('}') && image.contains("_IMAGE:-"))
    });
    assert_none(&fixed.map(|it| it.name).collect::<Vec<_>>());
}

#[test]
fn an_image_has_the_same_version_everywhere() {
    let mut versions = BTreeMap::new();
    for workload in all() {
        let repository = workload.repository().to_owned();
        let image = versions
            .entry(repository)
            .or_insert_with(|| workload.image.clone());
        assert_eq!(*image, workload.image, "{}", workload.name);
    }
    let ours = format!("{OURS}:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(versions.get(OURS), Some(&ours));
}
