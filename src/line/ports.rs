//! The USB serial ports of this machine, as /sys names them: without opening any.

use std::fs;
use std::path::Path;

/// Device names of the USB serial ports, in order; none where there is no /sys.
pub fn usb_ports() -> Vec<String> {
    usb_ports_in(Path::new("/sys/class/tty"))
}

fn usb_ports_in(class: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(class) else { return Vec::new() };
    let is_usb = |name: &String| {
        let device = class.join(name).join("device");
        device.canonicalize().is_ok_and(|path| path.to_string_lossy().contains("/usb"))
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut ports: Vec<String> = names.filter(is_usb).map(|name| format!("/dev/{name}")).collect();
    ports.sort();
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usb_ports_are_told_from_others() {
        let root = tempfile::tempdir().unwrap();
        let class = root.path().join("class");
        for (name, bus) in [("ttyUSB1", "usb1/1-2"), ("ttyACM0", "usb1/1-1"), ("ttyS0", "pnp0"), ("tty0", "")]
        {
            fs::create_dir_all(class.join(name)).unwrap();
            if !bus.is_empty() {
                let device = root.path().join("devices").join(bus).join(name);
                fs::create_dir_all(&device).unwrap();
                std::os::unix::fs::symlink(&device, class.join(name).join("device")).unwrap();
            }
        }
        assert_eq!(usb_ports_in(&class), ["/dev/ttyACM0", "/dev/ttyUSB1"]);
        assert!(usb_ports_in(Path::new("/nowhere")).is_empty());
    }
}
