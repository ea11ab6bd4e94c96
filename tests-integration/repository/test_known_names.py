"""What the core says is part of another distribution is what that distribution offers."""

from importlib.metadata import entry_points

from demograd import _providers


def test_the_core_knows_who_ships_each_subpackage(distributions):
    shipped = {
        name: distribution.name
        for distribution in distributions.values()
        for name in distribution.subpackages
        if distribution.name != "demograd-tensor"
    }
    assert shipped == _providers.SUBPACKAGES


def offers(distributions):
    """Each function and method that this repository's providers offer, with its distribution."""
    offered = {}
    for entry in entry_points(group="demograd.functions"):
        if entry.dist.name in distributions:
            provider = entry.load()
            assert provider.distribution == entry.dist.name
            offered |= dict.fromkeys({*provider.functions, *provider.methods}, entry.dist.name)
    return offered


def test_the_core_knows_who_ships_each_function(distributions):
    assert offers(distributions) == _providers.FUNCTIONS
