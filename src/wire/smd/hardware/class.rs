//! The types of hardware of which SMD keeps an inventory, and the details it keeps of each.

use super::shape::Field::{self, Any, AnyIfSet, NumberIfSet, Object, ObjectIfSet, Text, TextIfSet, Truth};
use crate::model::XnameType;

/// A type of hardware of which SMD keeps an inventory.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) kind: XnameType,
    /// What the keys of its details start with, and the kinds of entry end with.
    pub(super) name: &'static str,
    /// The key of the list of its like.
    pub(super) plural: &'static str,
    pub(super) location: &'static [Field],
    pub(super) fru: &'static [Field],
}

const NAMED: &[Field] = &[Text("Id"), Text("Name"), Text("Description")];

const CHASSIS: (&[Field], &[Field]) = (
    &[Text("Id"), Text("Name"), Text("Description"), Text("HostName")],
    &[
        Text("AssetTag"),
        Text("ChassisType"),
        Text("Model"),
        Text("Manufacturer"),
        Text("PartNumber"),
        Text("SerialNumber"),
        Text("SKU"),
    ],
);

const SYSTEM: (&[Field], &[Field]) = (
    &[
        Text("Id"),
        Text("Name"),
        Text("Description"),
        Text("HostName"),
        Object("ProcessorSummary", &[Field::Number("Count"), Text("Model")]),
        Object("MemorySummary", &[Field::Number("TotalSystemMemoryGiB")]),
    ],
    &[
        Text("AssetTag"),
        Text("BiosVersion"),
        Text("Model"),
        Text("Manufacturer"),
        Text("PartNumber"),
        Text("SerialNumber"),
        Text("SKU"),
        Text("SystemType"),
        Text("UUID"),
    ],
);

const PROCESSOR: (&[Field], &[Field]) = (
    &[Text("Id"), Text("Name"), Text("Description"), Text("Socket")],
    &[
        Text("InstructionSet"),
        Text("Manufacturer"),
        Field::Number("MaxSpeedMHz"),
        Text("Model"),
        Text("SerialNumber"),
        Text("PartNumber"),
        Text("ProcessorArchitecture"),
        Object(
            "ProcessorId",
            &[
                Text("EffectiveFamily"),
                Text("EffectiveModel"),
                Text("IdentificationRegisters"),
                Text("MicrocodeInfo"),
                Text("Step"),
                Text("VendorID"),
            ],
        ),
        Text("ProcessorType"),
        Field::Number("TotalCores"),
        Field::Number("TotalThreads"),
        Any("Oem"),
    ],
);

const MEMORY: (&[Field], &[Field]) = (
    &[
        Text("Id"),
        Text("Name"),
        Text("Description"),
        Object(
            "MemoryLocation",
            &[
                Field::Number("Socket"),
                Field::Number("MemoryController"),
                Field::Number("Channel"),
                Field::Number("Slot"),
            ],
        ),
    ],
    &[
        TextIfSet("BaseModuleType"),
        NumberIfSet("BusWidthBits"),
        Field::Number("CapacityMiB"),
        NumberIfSet("DataWidthBits"),
        TextIfSet("ErrorCorrection"),
        TextIfSet("Manufacturer"),
        TextIfSet("MemoryType"),
        TextIfSet("MemoryDeviceType"),
        Field::Number("OperatingSpeedMhz"),
        TextIfSet("PartNumber"),
        NumberIfSet("RankCount"),
        Text("SerialNumber"),
    ],
);

const DRIVE: (&[Field], &[Field]) = (
    NAMED,
    &[
        Text("Manufacturer"),
        Text("SerialNumber"),
        Text("PartNumber"),
        Text("Model"),
        Text("SKU"),
        Field::Number("CapacityBytes"),
        Text("Protocol"),
        Text("MediaType"),
        Field::Number("RotationSpeedRPM"),
        Field::Number("BlockSizeBytes"),
        Field::Number("CapableSpeedGbs"),
        Truth("FailurePredicted"),
        Text("EncryptionAbility"),
        Text("EncryptionStatus"),
        Field::Number("NegotiatedSpeedGbs"),
        Field::Number("PredictedMediaLifeLeftPercent"),
    ],
);

const NIC: (&[Field], &[Field]) =
    (NAMED, &[Text("Manufacturer"), Text("Model"), Text("PartNumber"), TextIfSet("SKU"), Text("SerialNumber")]);

const PDU: (&[Field], &[Field]) = (
    // SMD shows `Location` even where it is not given.
    &[Text("Id"), Text("Description"), Text("Name"), Text("UUID"), Any("Location")],
    &[
        Text("AssetTag"),
        TextIfSet("DateOfManufacture"),
        Text("EquipmentType"),
        Text("FirmwareVersion"),
        Text("HardwareRevision"),
        Text("Manufacturer"),
        Text("Model"),
        Text("PartNumber"),
        Text("SerialNumber"),
        Object(
            "CircuitSummary",
            &[
                NumberIfSet("ControlledOutlets"),
                NumberIfSet("MonitoredBranches"),
                NumberIfSet("MonitoredOutlets"),
                NumberIfSet("MonitoredPhases"),
                NumberIfSet("TotalBranches"),
                NumberIfSet("TotalOutlets"),
                NumberIfSet("TotalPhases"),
            ],
        ),
    ],
);

const SENSOR: &[Field] = &[
    Text("DataSourceUri"),
    Text("Name"),
    NumberIfSet("PeakReading"),
    TextIfSet("PhysicalContext"),
    TextIfSet("PhysicalSubContext"),
    NumberIfSet("Reading"),
    TextIfSet("ReadingUnits"),
    Object("Status", &[Text("Health"), TextIfSet("HealthRollUp"), TextIfSet("State")]),
];

const OUTLET: (&[Field], &[Field]) = (
    NAMED,
    &[
        TextIfSet("NominalVoltage"),
        Text("OutletType"),
        ObjectIfSet("EnergySensor", SENSOR),
        ObjectIfSet("FrequencySensor", SENSOR),
        TextIfSet("PhaseWiringType"),
        AnyIfSet("PowerEnabled"),
        NumberIfSet("RatedCurrentAmps"),
        TextIfSet("VoltageType"),
    ],
);

const POWER_SUPPLY: (&[Field], &[Field]) = (
    &[Text("Name"), Text("FirmwareVersion")],
    &[
        Text("Manufacturer"),
        Text("SerialNumber"),
        Text("Model"),
        Text("PartNumber"),
        Field::Number("PowerCapacityWatts"),
        Field::Number("PowerInputWatts"),
        Any("PowerOutputWatts"),
        Text("PowerSupplyType"),
    ],
);

const ACCELERATOR_RISER: (&[Field], &[Field]) = (
    &[Text("Name"), Text("Description")],
    &[
        Text("PhysicalContext"),
        Text("Producer"),
        Text("SerialNumber"),
        Text("PartNumber"),
        Text("Model"),
        Text("ProductionDate"),
        Text("Version"),
        Text("EngineeringChangeLevel"),
        AnyIfSet("Oem"),
    ],
);

const MANAGER: (&[Field], &[Field]) = (
    &[
        Text("DateTime"),
        Text("DateTimeLocalOffset"),
        Text("Description"),
        Text("FirmwareVersion"),
        Text("Id"),
        Text("Name"),
    ],
    &[Text("ManagerType"), Text("Model"), Text("Manufacturer"), Text("PartNumber"), Text("SerialNumber")],
);

macro_rules! classes {
    ($($kind:ident $name:literal $plural:literal $shape:ident;)+) => {
        const CLASSES: &[Class] = &[$(Class {
            kind: XnameType::$kind,
            name: $name,
            plural: $plural,
            location: $shape.0,
            fru: $shape.1,
        }),+];
    };
}

// In the order in which SMD lists them. Outlets have the same list and the same details under both of their types.
classes! {
    Node "Node" "Nodes" SYSTEM;
    Cabinet "Cabinet" "Cabinets" CHASSIS;
    Chassis "Chassis" "Chassis" CHASSIS;
    ComputeModule "ComputeModule" "ComputeModules" CHASSIS;
    RouterModule "RouterModule" "RouterModules" CHASSIS;
    NodeEnclosure "NodeEnclosure" "NodeEnclosures" CHASSIS;
    HsnBoard "HSNBoard" "HSNBoards" CHASSIS;
    Processor "Processor" "Processors" PROCESSOR;
    Memory "Memory" "Memory" MEMORY;
    Drive "Drive" "Drives" DRIVE;
    CabinetPdu "PDU" "CabinetPDUs" PDU;
    CabinetPduOutlet "Outlet" "CabinetPDUPowerConnectors" OUTLET;
    CabinetPduPowerConnector "Outlet" "CabinetPDUPowerConnectors" OUTLET;
    CmmRectifier "CMMRectifier" "CMMRectifiers" POWER_SUPPLY;
    NodeAccel "NodeAccel" "NodeAccels" PROCESSOR;
    NodeAccelRiser "NodeAccelRiser" "NodeAccelRisers" ACCELERATOR_RISER;
    NodeEnclosurePowerSupply "NodeEnclosurePowerSupply" "NodeEnclosurePowerSupplies" POWER_SUPPLY;
    NodeHsnNic "NodeHsnNic" "NodeHsnNics" NIC;
    NodeBmc "NodeBMC" "NodeBMCs" MANAGER;
    RouterBmc "RouterBMC" "RouterBMCs" MANAGER;
    MgmtSwitch "MgmtSwitch" "MgmtSwitches" CHASSIS;
    MgmtHlSwitch "MgmtHLSwitch" "MgmtHLSwitches" CHASSIS;
    CduMgmtSwitch "CDUMgmtSwitch" "CDUMgmtSwitches" CHASSIS;
}

/// The class of a type; none for a type of which there is no inventory.
pub(super) fn class(kind: XnameType) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_type_has_two_classes() {
        for (number, one) in CLASSES.iter().enumerate() {
            assert!(CLASSES[number + 1..].iter().all(|other| other.kind != one.kind), "{}", one.name);
        }
    }
}
