//! What the containers may not do, and how much memory they may take.

use serde_json::json;

use crate::yaml::{bytes, list};
use crate::{OURS, SERVICES, all, assert_none, compose, kubernetes};

/// For each of ours.
const MOST_MEMORY: u64 = 32 << 20;

#[test]
fn containers_of_compose_are_confined() {
    let mut open = Vec::new();
    for workload in compose::workloads() {
        let it = &workload.text;
        // What hands a volume over has to be root for it, and is not on the network.
        let hands_over = it["network_mode"] == "none" && it["cap_add"] == json!(["CHOWN"]);
        let user = it["user"].as_str().unwrap_or("0");
        for (what, holds) in [
            ("read_only", it["read_only"] == true),
            ("cap_drop: [ALL]", it["cap_drop"] == json!(["ALL"])),
            (
                "no-new-privileges",
                list(&it["security_opt"]).contains(&json!("no-new-privileges:true")),
            ),
            (
                "a user other than root",
                hands_over || !user.starts_with('0'),
            ),
            (
                "no more capabilities",
                hands_over || it["cap_add"].is_null(),
            ),
            ("mem_limit", workload.memory.is_some()),
            (
                "rotated logs",
                it["logging"]["options"]["max-size"].is_string(),
            ),
        ] {
            if !holds {
                open.push(format!("{}: expected {what}", workload.name));
            }
        }
    }
    assert_none(&open);
}

/// What is in a tmpfs counts as the container's memory, of which the program needs some itself.
#[test]
fn what_compose_keeps_in_memory_leaves_half_of_the_limit() {
    let mut found = 0;
    for workload in compose::workloads() {
        let kept = list(&workload.text["tmpfs"]).iter().map(|mount| {
            let mount = mount.as_str().unwrap();
            let (_, size) = mount.split_once("size=").expect(mount);
            bytes(size.split(',').next().unwrap())
        });
        let kept: u64 = kept.sum();
        found += usize::from(kept > 0);
        assert!(
            2 * kept <= workload.memory.unwrap(),
            "{}: {kept} bytes",
            workload.name
        );
    }
    assert!(found > 0);
}

/// What the pod security level `restricted` does not ask for.
#[test]
fn pods_are_confined() {
    let mut open = Vec::new();
    for workload in kubernetes::workloads() {
        let pods = &workload.text["spec"]["template"]["spec"];
        let container = &pods["containers"][0];
        for (what, holds) in [
            (
                "readOnlyRootFilesystem",
                container["securityContext"]["readOnlyRootFilesystem"] == true,
            ),
            (
                "no token",
                pods["automountServiceAccountToken"] == false
                    && pods["serviceAccountName"] == "shop",
            ),
            ("no service links", pods["enableServiceLinks"] == false),
            ("a limit of memory", workload.memory.is_some()),
            (
                "a request of as much",
                container["resources"]["requests"]["memory"]
                    == container["resources"]["limits"]["memory"],
            ),
        ] {
            if !holds {
                open.push(format!("{}: expected {what}", workload.name));
            }
        }
    }
    assert_none(&open);
}

#[test]
fn services_have_little_memory_and_the_same_everywhere() {
    let all = all();
    for workload in all.iter().filter(|it| it.repository() == OURS) {
        assert!(workload.memory <= Some(MOST_MEMORY), "{}", workload.name);
    }
    for service in SERVICES {
        let limits = all
            .iter()
            .filter(|it| it.service() == Some(service))
            .map(|it| it.memory);
        let limits: Vec<_> = limits.collect();
        assert!(limits.len() > 1, "{service}");
        assert!(
            limits.iter().all(|it| *it == limits[0]),
            "{service}: {limits:?}"
        );
    }
}

#[test]
fn the_collector_and_jaeger_collect_garbage_before_their_limit() {
    let all = all();
    let told = all
        .iter()
        .filter_map(|it| Some((it, it.env.get("GOMEMLIMIT")?)));
    let told: Vec<_> = told.collect();
    assert!(told.len() >= 5, "{told:?}");
    for (workload, soft) in told {
        let share = bytes(soft) * 100 / workload.memory.unwrap();
        assert!((78..=81).contains(&share), "{}: {share} %", workload.name);
    }
}
