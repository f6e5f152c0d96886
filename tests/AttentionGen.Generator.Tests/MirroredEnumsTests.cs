using AttentionGen.Generator.Model;
using AttentionGen.Generator.Syntax;
using Xunit;

namespace AttentionGen.Generator.Tests;

/// <summary>The generator cannot refer to the library: it mirrors what it needs of it.</summary>
public class MirroredEnumsTests
{
    [Theory]
    [InlineData(typeof(Mask), typeof(AttentionMask))]
    [InlineData(typeof(Layout), typeof(AttentionLayout))]
    [InlineData(typeof(Norm), typeof(AttentionNorm))]
    [InlineData(typeof(Stage), typeof(AttentionStage))]
    [InlineData(typeof(Isas), typeof(AttentionIsas))]
    [InlineData(typeof(Role), typeof(AttentionRole))]
    [InlineData(typeof(Axes), typeof(AttentionAxes))]
    public void An_enum_has_the_names_and_values_of_the_public_one(Type mirror, Type original)
    {
        static IEnumerable<string> Members(Type type) => Enum.GetNames(type).Select(name => $"{name} = {Convert.ToInt64(Enum.Parse(type, name), null)}");
        Assert.Equal(Members(original), Members(mirror));
        Assert.Equal(original.IsDefined(typeof(FlagsAttribute), false), mirror.IsDefined(typeof(FlagsAttribute), false));
    }

    [Fact]
    public void The_table_of_roles_has_a_row_for_each_in_their_order() => Assert.Equal(Enum.GetValues<Role>(), RoleTable.Rows.Select(row => row.Role));

    [Fact]
    public void Names_of_roles_are_those_of_the_enum() =>
        Assert.All(RoleTable.Rows, row => Assert.Equal(row.Role.ToString(), row.Name, ignoreCase: true));

    [Fact]
    public void The_attributes_stand_under_the_name_that_is_looked_for() => Assert.Equal(KernelParser.AttributeName, typeof(AttentionAttribute).FullName);
}
